"""Ctrl-C and SIGTERM as something a loop can wait for; asked twice means hurry."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Final, Self

HEARD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """While entered, signals are counted instead of killing; for the main thread only.

    A pipe wakes the waiter: setting an Event from a handler can deadlock with the wait it interrupts.
    """

    def __init__(self) -> None:
        self._asked = 0
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)

    def __enter__(self) -> Self:
        """Listen from now on."""
        for number in HEARD:
            signal.signal(number, self._count)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Signals kill again."""
        for number in HEARD:
            signal.signal(number, signal.SIG_DFL)

    @property
    def stop(self) -> bool:
        """Whether somebody asked to stop."""
        return self._asked > 0

    @property
    def hurry(self) -> bool:
        """Whether somebody asked again."""
        return self._asked > 1

    def wait(self, seconds: float) -> None:
        """Up to `seconds`, or until the next signal."""
        ready, _, _ = select.select([self._reading], [], [], seconds)
        if ready:
            os.read(self._reading, 1024)

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self._asked += 1
        os.write(self._writing, b".")
