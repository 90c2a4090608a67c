"""Queues, bindings and retry delays as data; both broker adapters build what stands here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SALES: Final = "sales"
PRODUCTS: Final = "products"
REFUNDS: Final = "refunds"
ALERTS: Final = "alerts"
JOBS: Final = "jobs"


@dataclass(frozen=True, slots=True)
class Queue:
    """One work queue and the message types (routing keys) that reach it."""

    name: str
    routes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """What a broker must hold. Delays are whole seconds; the last rung of the ladder repeats."""

    queues: tuple[Queue, ...]
    prefix: str = "stocksync"
    ladder: tuple[int, ...] = (5, 30, 120, 600, 3600)
    max_attempts: int = 8
    delivery_limit: int = 10  # deliveries without an answer (crashes) before a message is parked

    def queue_for(self, route: str) -> Queue | None:
        """The queue a routing key leads to, None where there is none."""
        return next((queue for queue in self.queues if route in queue.routes), None)


PIPELINE: Final = Topology(
    queues=(
        Queue(SALES, ("session.paid", "checkup.requested")),
        Queue(PRODUCTS, ("product.changed", "product.sync", "product.check")),
        Queue(REFUNDS, ("refund.changed",)),
        Queue(ALERTS, ("alert.opened", "report.made", "problem.noticed")),
        Queue(JOBS, ("job.due",)),
    )
)
