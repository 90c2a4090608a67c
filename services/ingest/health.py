"""Whether the process lives, and whether a webhook would be accepted now."""

from __future__ import annotations

from collections.abc import Callable

from shared.outcomes import Outage


def readiness(ping: Callable[[], None]) -> tuple[int, str]:
    """HTTP status and text: 200 where a publish could be confirmed now, else 503."""
    try:
        ping()
    except Outage as outage:
        return 503, f"broker: {type(outage).__name__}\n"
    return 200, "ready\n"
