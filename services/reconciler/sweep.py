"""Finds products whose hint to sync was lost, and hints again."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import Final

from shared import logs
from shared.broker import runtime
from shared.broker.port import Broker
from shared.database.pool import Database
from shared.messages import SyncRequested
from shared.outcomes import Outage
from shared.store import sweeps
from shared.topology import PRODUCTS

AT_ONCE: Final = 200
"""Hints of one look. No more are given while so many wait unread: they would only pile up."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Looks every `seconds` for products that have been dirty for longer than that."""

    database: Database
    broker: Broker
    seconds: float

    def run(self, stop: Event) -> None:
        """Look until `stop` is set; an outage costs a look, nothing else."""
        while not stop.wait(self.seconds):
            try:
                self.once()
            except Outage as outage:
                log.warning("sweep_postponed", reason=str(outage))

    def once(self) -> int:
        """Publish a SyncRequested for each product found; how many. Raises Outage."""
        if self.broker.depth(PRODUCTS).ready >= AT_ONCE:
            return 0
        with self.database.transaction() as connection:
            sweeps.expect_events(connection)
            found = sweeps.stale_dirty_products(connection, self.seconds, AT_ONCE)
        hints = [SyncRequested(account=account, product=product) for account, product in found]
        if hints:
            self.broker.publish(*(runtime.outgoing(hint) for hint in hints))
            log.info("lost_hints_found", products=len(hints))
        return len(hints)
