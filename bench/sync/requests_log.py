"""What the simulator's log of API requests says: how many there were, how dense, and how long they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

READ_SESSION: Final = "GET /v1/checkout/sessions"
READ_PRODUCT: Final = "GET /v1/products"
WRITE_PRODUCT: Final = "POST /v1/products"
TOO_MANY: Final = 429
WINDOW: Final = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Call:
    """One request, `at` seconds since the epoch; `endpoint` as in `GET /v1/products/{id}`."""

    at: float
    endpoint: str
    status: int | None


@dataclass(frozen=True, slots=True)
class RequestsLog:
    """Requests in the order of their arrival."""

    calls: tuple[Call, ...]

    def count(self, beginning: str) -> int:
        """How many went to endpoints that begin so: lists and single objects alike."""
        return sum(call.endpoint.startswith(beginning) for call in self.calls)

    def by_endpoint(self) -> dict[str, int]:
        """How many went to each endpoint."""
        return dict(Counter(call.endpoint for call in self.calls))

    def refused(self) -> int:
        """How many were answered with 429."""
        return sum(call.status == TOO_MANY for call in self.calls)

    def peak(self) -> int:
        """The most requests in any one second."""
        return densest(call.at for call in self.calls)

    def busiest(self) -> tuple[str, int]:
        """The endpoint with the most requests in any one second, and how many; nothing where there were none."""
        times: dict[str, list[float]] = {}
        for call in self.calls:
            times.setdefault(call.endpoint, []).append(call.at)
        peaks = [(densest(moments), endpoint) for endpoint, moments in times.items()]
        most, endpoint = max(peaks, default=(0, ""))
        return endpoint, most

    def under_way(self, since: float, until: float, latency: float) -> float:
        """Seconds between two moments in which at least one request was under way."""
        covered, reached = 0.0, since
        for at in sorted(call.at for call in self.calls if since <= call.at < until):
            end = min(at + latency, until)
            covered += max(0.0, end - max(at, reached))
            reached = max(reached, end)
        return covered


def densest(times: Iterable[float]) -> int:
    """How many of the moments lie within the fullest second, its end left out."""
    ordered = sorted(times)
    most = first = 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= WINDOW:
            first += 1
        most = max(most, last - first + 1)
    return most
