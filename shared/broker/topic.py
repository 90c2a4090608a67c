"""What tells others of what happened: an exchange they bind queues of their own to; only RabbitMQ has one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.broker.port import Outgoing


class Topic(Protocol):
    """A topic exchange. It has a connection of its own: whatever happens to it, work goes on."""

    def declare(self) -> None:
        """Make the exchange; harmless to repeat, an error where something else stands in its place."""
        ...

    def publish(self, messages: Sequence[Outgoing], *, timeout: float) -> None:
        """Return once ALL are confirmed, those that nobody wants too; raises PublishError within `timeout` seconds."""
        ...

    def close(self) -> None:
        """Let go within a few seconds."""
        ...
