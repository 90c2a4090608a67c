"""The job `snapshot`: what Stripe shows of every product, kept for reports and trends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from services.reconciler import listing, thinning
from services.reconciler.jobs import Figures, Tools
from services.reconciler.stock_rows import Low, rows
from shared import clock, logs
from shared.store.jobs import JobRun
from shared.store.snapshots import SnapshotRow, Snapshots, Thresholds
from shared.stripe_api.objects import Product

log = logs.get(__name__)


@dataclass(slots=True)
class _Taking:
    """A snapshot that is not finished yet."""

    started: JobRun
    tools: Tools
    number: int = 0
    listed: int = 0

    def begin(self) -> None:
        """Start from nothing."""
        run = self.started
        self.listed = 0
        self.number = self.tools.database.run(
            lambda c: Snapshots(c, self.tools.account).begin(
                run.planned_at, actor=run.actor, reason=run.reason
            )
        )

    def take(self, page: Sequence[Product]) -> None:
        """Keep one page."""
        self.listed += len(page)
        with self.tools.database.transaction() as connection:
            snapshots = Snapshots(connection, self.tools.account)
            thresholds = snapshots.thresholds([product.id for product in page])
            kept = [row for product in page for row in self._rows(product, thresholds)]
            if kept:
                snapshots.add(self.number, kept)

    def _rows(self, product: Product, thresholds: Thresholds) -> list[SnapshotRow]:
        own = {size: units for (of, size), units in thresholds.sizes.items() if of == product.id}
        low = Low(thresholds.products.get(product.id, self.tools.shop.low_stock), own)
        return [
            SnapshotRow(product.id, row.size, product.name, product.active, row.value, row.units, row.status)
            for row in rows(product, low)
        ]


def take(started: JobRun, tools: Tools) -> Figures:
    """Read all products and show the snapshot once the last page is in; raises JobFailed, StripeFailed, an Outage."""
    taking = _Taking(started, tools)
    passes = listing.whole(tools, taking.begin, taking.take)
    with tools.database.transaction() as connection:
        done = Snapshots(connection, tools.account).finish(taking.number)
    log.info("snapshot_taken", snapshot=done.id, products=done.products, sizes=done.sizes)
    dropped = _thin_out(tools)
    return {
        "listed": taking.listed,
        "products": done.products,
        "sizes": done.sizes,
        "units": done.units,
        "low": done.low,
        "out_of_stock": done.out_of_stock,
        "not_a_number": done.not_a_number,
        "no_value": done.no_value,
        "passes": passes,
        **({"old_ones_dropped": dropped} if dropped else {}),
    }


def _thin_out(tools: Tools) -> int:
    """Forget old snapshots that a sparser row of them makes up for; how many. Each goes in a transaction of its own."""
    taken = tools.database.run(lambda c: Snapshots(c, tools.account).taken())
    spare = thinning.superfluous(taken, clock.now(), ZoneInfo(tools.shop.time_zone))
    for snapshot in spare:
        with tools.database.transaction() as connection:
            Snapshots(connection, tools.account).drop(snapshot)
    return len(spare)
