"""A RabbitMQ of the tests' own: Debian's package on free ports, or a container where there is an engine."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.engine import has_image
from tests.support.missing import missing
from tests.support.rabbitmq_container import IMAGE, ContainerNode
from tests.support.rabbitmq_local import SERVER, LocalNode


class RabbitNode(Protocol):
    """One running node."""

    @property
    def url(self) -> str:
        """Its AMQP address."""
        ...

    def restart(self) -> None:
        """Kill -9 and start again on the same data."""
        ...

    def signal(self, number: int) -> None:
        """Freeze it with SIGSTOP, let it go on with SIGCONT."""
        ...

    def control(self, *arguments: str) -> None:
        """Run `rabbitmqctl` on it."""
        ...


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitNode]:
    """A running node, shared by the session; a test that stops it starts it again."""
    with _node() as node:
        node.start()
        try:
            yield node
        finally:
            node.kill()


@contextmanager
def _node() -> Generator[LocalNode | ContainerNode]:
    if has_image(IMAGE):
        yield ContainerNode()
        return
    if not SERVER.exists():
        missing("RabbitMQ", "On Debian: apt-get install rabbitmq-server.")
    with tempfile.TemporaryDirectory(prefix="stocksync-rabbitmq-", ignore_cleanup_errors=True) as folder:
        yield LocalNode(Path(folder))
