"""The two brokers that every test of the contract runs against."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import psutil
import pytest

from shared.broker.port import Broker
from shared.database.embedded import EmbeddedPostgres
from tests.contract.broker.rig import Kind, OnLoop, Rig, connect
from tests.support.postgres import held_server
from tests.support.rabbitmq import RabbitNode
from tests.support.waiting import until


@pytest.fixture(scope="session")
def queue_server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of the contract's own, since its tests kill it."""
    with held_server() as (home, _):
        server = EmbeddedPostgres(home)
        server.start()
        yield server
        server.release()


@pytest.fixture(params=["rabbitmq", "embedded"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A declared broker of each kind, empty and of the test's own."""
    kind = cast("Kind", request.param)
    prefix = f"t{uuid.uuid4().hex[:8]}"
    if kind == "rabbitmq":
        node = cast("RabbitNode", request.getfixturevalue("rabbitmq"))
        address, kill = node.url, node.restart
    else:
        server = cast("EmbeddedPostgres", request.getfixturevalue("queue_server"))
        address, kill = server.start(), lambda: kill_postgres(server)
    broker = connect(kind, address, prefix)
    broker.declare()
    yield Rig(kind, address, prefix, broker, kill)
    broker.close()


@pytest.fixture(params=["threads", "loop"])
def publishing(request: pytest.FixtureRequest, rig: Rig) -> Iterator[Rig]:
    """Each kind of broker, for callers on threads and for callers on an event loop."""
    yield from _publishing(request.param, rig)


@pytest.fixture(params=["threads", "loop"])
def rabbit_publishing(request: pytest.FixtureRequest, rabbit: Rig) -> Iterator[Rig]:
    """RabbitMQ, for both kinds of callers."""
    yield from _publishing(request.param, rabbit)


def _publishing(callers: str, rig: Rig) -> Iterator[Rig]:
    if callers == "threads":
        yield rig
        return
    broker = cast("Broker", OnLoop(rig.another()))
    yield dataclasses.replace(rig, broker=broker)
    broker.close()


@pytest.fixture
def rabbit(rabbitmq: RabbitNode) -> Iterator[Rig]:
    """RabbitMQ alone, for what only it can do."""
    prefix = f"t{uuid.uuid4().hex[:8]}"
    broker = connect("rabbitmq", rabbitmq.url, prefix)
    broker.declare()
    yield Rig("rabbitmq", rabbitmq.url, prefix, broker, rabbitmq.restart)
    broker.close()


def kill_postgres(server: EmbeddedPostgres) -> None:
    """Kill -9 the postmaster and return once another one runs."""
    noted = server.folder / "data" / "postmaster.pid"
    before = _pid(noted)
    psutil.Process(before).kill()
    until("PostgreSQL to be back", lambda: _pid(noted) not in {0, before})
    server.start()


def _pid(noted: Path) -> int:
    try:
        return int(noted.read_text(encoding="utf-8").splitlines()[0])
    except (FileNotFoundError, IndexError):
        return 0
