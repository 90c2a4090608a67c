"""Ingest in front of each kind of broker, through a proxy that can misbehave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pytest

from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Broker
from shared.broker.rabbitmq import RabbitBroker
from shared.topology import PIPELINE
from tests.integration.ingest.proxy import Proxy
from tests.integration.ingest.running import Ingest, Stage, environment, running
from tests.support.rabbitmq import RabbitNode


@pytest.fixture
def rabbit_stage(rabbitmq: RabbitNode, tmp_path: Path) -> Iterator[Stage]:
    """Ingest on RabbitMQ with empty queues."""
    yield from _rabbit(rabbitmq, tmp_path)


@pytest.fixture
def embedded_stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    """Ingest on the embedded queue, in a database of the test's own."""
    yield from _stage("embedded", EmbeddedBroker(database_url, PIPELINE), database_url, tmp_path)


@pytest.fixture(params=["rabbitmq", "embedded"])
def stage(request: pytest.FixtureRequest) -> Stage:
    """Both, one after the other."""
    name = "rabbit_stage" if request.param == "rabbitmq" else "embedded_stage"
    return request.getfixturevalue(name)


@pytest.fixture(scope="module")
def ingest(rabbitmq: RabbitNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    """One ingest for all tests of a module that its broker is of no importance to."""
    for stage in _rabbit(rabbitmq, tmp_path_factory.mktemp("home")):
        yield stage.ingest


def _rabbit(rabbitmq: RabbitNode, home: Path) -> Iterator[Stage]:
    broker = RabbitBroker(rabbitmq.url, PIPELINE)
    broker.declare()
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
        for queue in PIPELINE.queues:
            connection.channel().queue_purge(f"{PIPELINE.prefix}.{queue.name}")
    yield from _stage("rabbitmq", broker, rabbitmq.url, home)


def _stage(kind: str, broker: Broker, url: str, home: Path) -> Iterator[Stage]:
    parts = urlsplit(url)
    setting = "AMQP_URL" if kind == "rabbitmq" else "DATABASE_URL"
    with Proxy((parts.hostname or "", parts.port or 0)) as proxy:
        broker.declare()
        through = url.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{proxy.port}")
        with running(environment(home, **{setting: through})) as ingest:
            yield Stage(kind, ingest, proxy, broker)
    broker.close()
