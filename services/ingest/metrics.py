"""The door's counters, shared by all worker processes so that each of them can tell the whole.

`stocksync_ingest_webhooks_total{outcome}`: POSTs by how they ended (`outcome.Outcome`).
`stocksync_ingest_events_total{type}`: verified events by type, `other` for those that are not subscribed.
`stocksync_ingest_publish_seconds`: from the call to the broker's confirm.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from multiprocessing import RawArray, Value
from threading import Lock
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from services.ingest.outcome import Outcome
from shared.webhook_events import EVENT_TYPES

if TYPE_CHECKING:
    from ctypes import Array, c_double

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_TYPES: Final = (*sorted(EVENT_TYPES), "other")
_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds
_OUTCOME_AT: Final = {outcome: place for place, outcome in enumerate(Outcome)}
_TYPE_AT: Final = {name: len(_OUTCOME_AT) + place for place, name in enumerate(_TYPES)}
_SECONDS_AT: Final = len(_OUTCOME_AT) + len(_TYPE_AT)
_BUCKET_AT: Final = _SECONDS_AT + 1
_WIDTH: Final = _BUCKET_AT + len(_BOUNDS) + 1
_ROWS: Final = 64
"""More than workers that are alive at once; a row whose worker died is counted on by a later one."""


class Board(Collector):
    """One row of numbers for each worker, in memory that is made before they are forked or spawned.

    Nobody waits for another process: a worker that is killed leaves no lock behind.
    """

    def __init__(self) -> None:
        self._numbers: Array[c_double] = RawArray("d", _ROWS * _WIDTH)
        self._claimed = Value("i", 0)

    def claim(self) -> int:
        """How many workers came before this one."""
        with self._claimed.get_lock():
            number: int = self._claimed.value
            self._claimed.value = number + 1
        return number

    def add(self, worker: int, place: int, amount: float) -> None:
        """Count in the row of `worker`, which is the only one to write there."""
        self._numbers[worker % _ROWS * _WIDTH + place] += amount

    def collect(self) -> Iterator[Metric]:
        """All rows together, as Prometheus wants them."""
        numbers = self._numbers[:]
        total = [sum(numbers[place::_WIDTH]) for place in range(_WIDTH)]
        webhooks = CounterMetricFamily("stocksync_ingest_webhooks", "POSTs by outcome", labels=["outcome"])
        for outcome, place in _OUTCOME_AT.items():
            webhooks.add_metric([outcome.value], total[place])
        events = CounterMetricFamily("stocksync_ingest_events", "Verified events", labels=["type"])
        for name, place in _TYPE_AT.items():
            events.add_metric([name], total[place])
        bounds = [*map(str, _BOUNDS), "+Inf"]
        buckets = list(zip(bounds, accumulate(total[_BUCKET_AT:]), strict=True))
        publish = HistogramMetricFamily("stocksync_ingest_publish_seconds", "Time to the broker's confirm")
        publish.add_metric([], buckets, sum_value=total[_SECONDS_AT])
        yield from (webhooks, events, publish)


class Metrics:
    """The counters as one worker sees them; thread-safe."""

    def __init__(self, board: Board, worker: int) -> None:
        self._board = board
        self._worker = worker
        self._lock = Lock()
        self._registry = CollectorRegistry()
        self._registry.register(board)

    def ended(self, outcome: Outcome) -> None:
        """Count one POST."""
        self._count(_OUTCOME_AT[outcome])

    def verified(self, event_type: object) -> None:
        """Count one event that Stripe signed."""
        name = event_type if isinstance(event_type, str) else "other"
        self._count(_TYPE_AT.get(name, _TYPE_AT["other"]))

    def published(self, seconds: float) -> None:
        """Count one confirmed publish."""
        self._count(_BUCKET_AT + bisect_left(_BOUNDS, seconds))
        self._count(_SECONDS_AT, seconds)

    def exposition(self) -> bytes:
        """The counters of all workers in Prometheus' text format."""
        return generate_latest(self._registry)

    def _count(self, place: int, amount: float = 1.0) -> None:
        with self._lock:
            self._board.add(self._worker, place, amount)
