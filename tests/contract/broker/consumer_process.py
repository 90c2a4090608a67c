"""A consumer to be killed: `consumer_process.py KIND ADDRESS PREFIX MODE OUTPUT`.

`hang` notes a message and never answers; `die` kills its own process on the message `poison`; `crowd` does the same
with RabbitMQ's isolation of messages that came back taken out.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import cast

from pika.spec import BasicProperties

from shared.broker import rabbitmq_envelope, rabbitmq_feed
from shared.broker.port import Ack, Delivery, Subscription, Verdict
from tests.contract.broker.rig import WORK, Kind, connect


def main() -> None:
    """Consume until killed, or told to stop."""
    kind, address, prefix, mode, output = sys.argv[1:]
    stop = threading.Event()
    if mode == "crowd":
        setattr(rabbitmq_feed.Feed, "_probe", _all_at_once)  # noqa: B010 - takes the protection out
        rabbitmq_envelope.returns_so_far = _never_came_back

    def finish(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, finish)

    def handle(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        for delivery in deliveries:
            if mode != "hang" and delivery.message_id == "poison":
                os.kill(os.getpid(), signal.SIGKILL)
            with Path(output).open("a", encoding="utf-8") as noted:
                noted.write(f"{delivery.message_id}\n")
        if mode == "hang":
            threading.Event().wait()
        return [Ack() for _ in deliveries]

    connect(cast("Kind", kind), address, prefix).consume([Subscription(WORK, handle, batch=5)], stop)


def _all_at_once(feed: rabbitmq_feed.Feed) -> None:
    feed._phase = rabbitmq_feed._Phase.PROBING  # pyright: ignore[reportPrivateUsage] - the protection is taken out
    feed._flow()  # pyright: ignore[reportPrivateUsage] - the protection is taken out


def _never_came_back(_properties: BasicProperties, *, redelivered: bool) -> int:
    return 0 * redelivered


if __name__ == "__main__":
    main()
