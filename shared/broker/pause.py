"""Holding still while something everybody needs is away: one consumer's calls share one pause."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from shared import clock, logs
from shared.outcomes import Outage

FIRST: Final = 1.0
LONGEST: Final = 30.0
"""Seconds; each pause in a row is twice as long as the one before, give or take a fifth."""
HOLD_AT_MOST: Final = 600.0
"""Seconds a message is held in hand during an outage before it goes back to its queue."""

T = TypeVar("T")

log = logs.get(__name__)


class Stopping(Exception):
    """The process is to stop; what is in hand goes back."""


class HeldTooLong(Exception):
    """The outage lasts; `outage` is the latest one."""

    def __init__(self, outage: Outage) -> None:
        super().__init__(str(outage))
        self.outage = outage


class Pause:
    """Thread-safe."""

    def __init__(self, stop: threading.Event, first: float = FIRST, at_most: float = HOLD_AT_MOST) -> None:
        """Pause `first` seconds at first, and hold nobody longer than about `at_most`; `stop` ends any waiting."""
        self._stop = stop
        self._first = first
        self._at_most = at_most
        self._lock = threading.Lock()
        self._length = first
        self._ends = 0.0

    def through(self, work: Callable[[], T]) -> T:
        """`work`'s answer, called again after a pause whenever it raises Outage; raises Stopping or HeldTooLong."""
        started = clock.monotonic()
        while True:
            self._hold()
            try:
                answer = work()
            except Outage as outage:
                self._begin(outage)
                if clock.monotonic() - started > self._at_most:
                    raise HeldTooLong(outage) from outage
            else:
                self._length = self._first
                return answer

    @property
    def left(self) -> float:
        """Seconds until work is tried again; 0 or less where nothing is known to be away."""
        return self._ends - clock.monotonic()

    def _hold(self) -> None:
        while (left := self.left) > 0:
            if self._stop.wait(left):
                raise Stopping

    def _begin(self, outage: Outage) -> None:
        with self._lock:
            if self.left > 0:
                return  # a neighbour saw the same outage
            length = self._length * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret
            self._ends = clock.monotonic() + length
            self._length = min(LONGEST, self._length * 2)
        log.warning("outage", kind=type(outage).__name__, reason=str(outage), pause=round(length, 1))
