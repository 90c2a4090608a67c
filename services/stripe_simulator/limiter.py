"""Request limits per second, off until they are asked for, and how many requests came at the busiest."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass

from services.stripe_simulator import errors
from shared import clock

WINDOW = 1.0  # seconds
GLOBAL = "*"


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests per second; None is no limit."""

    per_endpoint: int | None = None
    overall: int | None = None


class Limiter:
    """Counts requests in a sliding window and refuses those above the limits."""

    def __init__(self) -> None:
        self.limits = Limits()
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque[float])
        self._peaks: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def check(self, endpoint: str) -> None:
        """Count one request to `endpoint`; 429 where it is one too many."""
        with self._lock:
            now = clock.monotonic()
            busy = self._count(GLOBAL, now)
            here = self._count(endpoint, now)
        if self.limits.overall is not None and busy > self.limits.overall:
            raise errors.rate_limited("global-rate")
        if self.limits.per_endpoint is not None and here > self.limits.per_endpoint:
            raise errors.rate_limited("endpoint-rate")

    def _count(self, name: str, now: float) -> int:
        recent = self._recent[name]
        while recent and recent[0] <= now - WINDOW:
            recent.popleft()
        recent.append(now)
        self._peaks[name] = max(self._peaks[name], len(recent))
        return len(recent)

    def peaks(self) -> dict[str, int]:
        """The most requests in any one second, per endpoint and, under `*`, in all."""
        with self._lock:
            return dict(self._peaks)

    def clear(self) -> None:
        """Forget the counts; limits stay."""
        with self._lock:
            self._recent.clear()
            self._peaks.clear()
