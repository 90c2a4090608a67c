"""How a process of ours is told to stop: SIGTERM, Ctrl-C, or the end of whoever started it."""

from __future__ import annotations

import signal
from queue import SimpleQueue
from threading import Event, Thread
from types import FrameType

from shared import lifeline


def stop_event() -> Event:
    """An event that is set once this process is to finish what it has in hand and end.

    A thread sets it: done by the handler, it can deadlock with a wait that the signal interrupts. A SimpleQueue may
    be put to from anywhere.
    """
    stop, heard = Event(), SimpleQueue[int]()

    def tell(number: int, _frame: FrameType | None) -> None:
        heard.put(number)

    def pass_on() -> None:
        heard.get()
        stop.set()

    Thread(target=pass_on, name="signals", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    lifeline.hold()
    return stop
