"""The doctor's look at RabbitMQ, in a virtual host of its own."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.backoffice.operations.doctor.checks import QUEUE, checks
from services.backoffice.operations.doctor.context import Context
from services.backoffice.operations.doctor.examine import run
from services.backoffice.operations.doctor.finding import Finding, Verdict
from services.backoffice.settings import MachineSettings
from shared.broker.rabbitmq import RabbitBroker
from shared.settings import load
from shared.topology import PIPELINE
from tests.support.rabbitmq import RabbitNode

HOST = "doctor"


@pytest.fixture(scope="module")
def url(rabbitmq: RabbitNode) -> str:
    """The address of an empty virtual host."""
    rabbitmq.control("add_vhost", HOST)
    rabbitmq.control("set_permissions", "-p", HOST, str(urlsplit(rabbitmq.url).username), ".*", ".*", ".*")
    return rabbitmq.url.rpartition("/")[0] + f"/{HOST}"


def _looked_at(url: str, home: Path) -> Finding:
    settings = load(MachineSettings, amqp_url=url, database_url=None, stocksync_home=home)
    context = Context(settings)
    try:
        (finding,) = run([check for check in checks(settings) if check.name == QUEUE], context)
    finally:
        context.close()
    return finding


def test_fault_47_queues_that_are_missing_are_found(url: str, tmp_path: Path) -> None:
    """A RabbitMQ without our queues fails and says who makes them; once they are there it is well."""
    before = _looked_at(url, tmp_path)
    assert before.verdict is Verdict.FAILED
    assert "AMQP_URL" in before.text
    assert "worker" in before.text
    broker = RabbitBroker(url, PIPELINE)
    broker.declare()
    broker.close()
    assert _looked_at(url, tmp_path).verdict is Verdict.OK


def test_fault_60_a_refused_password_is_found_and_not_told(url: str, tmp_path: Path) -> None:
    """Wrong credentials fail in one sentence that does not repeat them."""
    finding = _looked_at(url.replace(f":{urlsplit(url).password}@", ":hidden@"), tmp_path)
    assert finding.verdict is Verdict.FAILED
    assert "AMQP_URL" in finding.text
    assert "hidden" not in finding.text
