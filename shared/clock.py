"""The one door to the clock. Nothing that must be right is decided by it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def epoch() -> int:
    """Whole seconds since 1970, as Stripe counts."""
    return int(time.time())


def monotonic() -> float:
    """Seconds that never run backwards, for deadlines."""
    return time.monotonic()
