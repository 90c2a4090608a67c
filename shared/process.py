"""How a process of ours is told to stop: SIGTERM, Ctrl-C, or the end of whoever started it."""

from __future__ import annotations

import signal
from threading import Event
from types import FrameType

from shared import lifeline


def stop_event() -> Event:
    """An event that is set once this process is to finish what it has in hand and end."""
    stop = Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    lifeline.hold()
    return stop
