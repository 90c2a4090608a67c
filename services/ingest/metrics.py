"""The door's counters.

`stocksync_ingest_webhooks_total{outcome}`: POSTs by how they ended (`outcome.Outcome`).
`stocksync_ingest_events_total{type}`: verified events by type, `other` for those that are not subscribed.
`stocksync_ingest_publish_seconds`: from the call to the broker's confirm.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest

from services.ingest.outcome import Outcome
from services.ingest.translate import EVENT_TYPES

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_OTHER: Final = "other"


class Metrics:
    """The counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        webhooks = Counter(
            "stocksync_ingest_webhooks", "POSTs by outcome", ["outcome"], registry=self._registry
        )
        events = Counter("stocksync_ingest_events", "Verified events", ["type"], registry=self._registry)
        self._webhooks = {outcome: webhooks.labels(outcome.value) for outcome in Outcome}
        self._events = {name: events.labels(name) for name in (*sorted(EVENT_TYPES), _OTHER)}
        self.publish_seconds: Final = Histogram(
            "stocksync_ingest_publish_seconds", "Time to the broker's confirm", registry=self._registry
        )

    def ended(self, outcome: Outcome) -> None:
        """Count one POST."""
        self._webhooks[outcome].inc()

    def verified(self, event_type: object) -> None:
        """Count one event that Stripe signed."""
        name = event_type if isinstance(event_type, str) else _OTHER
        self._events.get(name, self._events[_OTHER]).inc()

    def exposition(self) -> bytes:
        """The counters in Prometheus' text format."""
        return generate_latest(self._registry)
