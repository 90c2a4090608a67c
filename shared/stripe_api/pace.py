"""When a call to Stripe may go: what every keeper of the pace promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

ALL: Final = ""
"""In an endpoint's place: all endpoints together."""
BURST: Final = 4
"""Calls to one endpoint that may go at once after a pause; the rest is spaced evenly."""
PROBE_SECONDS: Final = 10.0
"""While Stripe refuses the key, one caller in so many seconds tries whether it still does."""
FIRST_HOLD: Final = 1.0
LONGEST_HOLD: Final = 30.0
"""Seconds without calls after a 429; each in a row is twice as long, give or take a fifth."""
JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls a second to one endpoint and in all; all of a Stripe account's callers share them."""

    per_endpoint: float
    overall: float
    burst: int = BURST
    probe_seconds: float = PROBE_SECONDS


@dataclass(frozen=True, slots=True)
class Turn:
    """Leave for one call to `endpoint`, `wait` seconds from now (0 or less: at once).

    `slowed` and `probe` say what its success is the end of: a back-off, a pause after a refusal.
    """

    endpoint: str
    wait: float
    slowed: bool = False
    probe: bool = False


class Pace(Protocol):
    """Hands out turns, first come first served. Thread-safe. Every method may raise an Outage."""

    @property
    def limits(self) -> Limits:
        """What it keeps to."""
        ...

    def take(self, endpoint: str, *, write: bool) -> Turn:
        """Reserve the next turn for one call, and count it; raises StripeRefused while such calls are paused."""
        ...

    def slow(self, endpoint: str, at_least: float) -> None:
        """Stripe asked for fewer calls (429): nobody calls `endpoint` for a while, at least so many seconds."""
        ...

    def refuse(self, endpoint: str, reason: str) -> None:
        """Stripe refused the key: nobody calls `endpoint` but one probe in a while, until one is accepted."""
        ...

    def accept(self, turn: Turn) -> None:
        """The call of a `slowed` or `probe` turn succeeded."""
        ...
