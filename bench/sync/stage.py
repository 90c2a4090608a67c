"""The whole pipeline as real processes in a folder of its own, with a shop at its simulator."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.sync.shop import Shop
from demo.stack import running
from shared.database.embedded import EmbeddedPostgres
from tests.support.rabbitmq_local import LocalNode


@dataclass(frozen=True, slots=True)
class Stage:
    """A running pipeline: its shop, and the address of its database."""

    shop: Shop
    database: str


@contextmanager
def built(*, rabbitmq: bool, **settings: str) -> Generator[Stage]:
    """`stocksync up` with its own settings, messages in PostgreSQL or in a RabbitMQ node of its own.

    `settings` are given to it.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stocksync-bench-")))
        folder.chmod(0o755)  # the database runs as another account where we are root
        if rabbitmq:
            node = LocalNode(folder / "rabbitmq")
            stack.callback(node.kill)
            node.start()
            settings["AMQP_URL"] = node.url
        home = folder / "var"
        address = stack.enter_context(EmbeddedPostgres(home))
        up = stack.enter_context(running(home, **settings))
        yield Stage(Shop(up.simulator), address)
