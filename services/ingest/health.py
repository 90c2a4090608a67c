"""Whether the process lives, and whether a webhook would be accepted now."""

from __future__ import annotations

from shared.broker.port import Broker
from shared.outcomes import Outage


def readiness(broker: Broker) -> tuple[int, str]:
    """HTTP status and text: 200 where a publish could be confirmed now, else 503."""
    try:
        broker.ping()
    except Outage as outage:
        return 503, f"broker: {type(outage).__name__}\n"
    return 200, "ready\n"
