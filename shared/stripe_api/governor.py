"""Keeps this process below Stripe's rate limits: callers wait their turn, per endpoint and in all."""

from __future__ import annotations

import threading
from typing import Final

from shared import clock

BURST: Final = 4
"""Calls that may go at once after a pause; the rest is spaced evenly."""


class Governor:
    """Spaces calls evenly: at most `per_endpoint` and `overall` calls a second. Thread-safe."""

    def __init__(self, per_endpoint: float, overall: float) -> None:
        """Calls a second; Stripe allows 25 per endpoint, and 100 (live) or 25 (sandbox) in all."""
        self._per_endpoint = 1 / per_endpoint
        self._overall = 1 / overall
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._never = threading.Event()

    def wait(self, endpoint: str) -> float:
        """Wait for this endpoint's turn; the seconds waited."""
        with self._lock:
            now = clock.monotonic()
            turn = max(now, self._turn(endpoint, self._per_endpoint), self._turn("", self._overall))
            for name, gap in ((endpoint, self._per_endpoint), ("", self._overall)):
                self._free_at[name] = max(self._free_at.get(name, 0.0), turn) + gap
        pause = turn - now
        if pause > 0:
            self._never.wait(pause)
        return pause

    def _turn(self, name: str, gap: float) -> float:
        """When the next call may go: up to BURST calls ahead of an even spacing (GCRA)."""
        return self._free_at.get(name, 0.0) - (BURST - 1) * gap
