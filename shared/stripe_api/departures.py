"""Calls that leave one process: those whose turns came apart in time may not leave together because it was held up."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import Final

from shared import clock
from shared.stripe_api.pace import Limits

SECOND: Final = 1.0


class Departures:
    """Lets no more calls to an endpoint leave within any second than its turns would have. Thread-safe."""

    def __init__(self, limits: Limits) -> None:
        self._most = int(limits.per_endpoint) + limits.burst
        self._left: defaultdict[str, deque[float]] = defaultdict(deque[float])
        self._lock = threading.Lock()

    def wait(self, endpoint: str) -> float:
        """Seconds until one more call, whose turn has come, may leave; it counts as leaving then."""
        with self._lock:
            now, left = clock.monotonic(), self._left[endpoint]
            while left and left[0] <= now - SECOND:
                left.popleft()
            leaves = now if len(left) < self._most else max(now, left[-self._most] + SECOND)
            left.append(leaves)
            return leaves - now
