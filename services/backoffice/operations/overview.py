"""How the shop stands at this moment: stock, sales, what waits for a person, and whether everything flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.backoffice.operations.reports.stock import Ledger
from shared.broker.port import Broker, Depth
from shared.database.pool import Connection
from shared.outcomes import Outage
from shared.periods import midnight
from shared.stock_levels import Totals
from shared.store import overview as store
from shared.store.levels import Levels
from shared.topology import PIPELINE


@dataclass(frozen=True, slots=True)
class Overview:
    """Figures of one moment; `queues` by name, None where the queue does not answer."""

    totals: Totals
    today: store.Today
    waiting: store.Waiting
    flow: store.Flow
    queues: Mapping[str, Depth] | None

    @property
    def parked(self) -> int:
        """Messages that could not be handled."""
        return sum(depth.dead for depth in (self.queues or {}).values())


def overview(ledger: Ledger, broker: Broker, now: datetime, zone: ZoneInfo) -> Overview:
    """How it stands; today is the shop's. Raises DatabaseOutage."""
    since = midnight(now.astimezone(zone).date(), zone)

    def read(connection: Connection) -> tuple[Totals, store.Today, store.Waiting, store.Flow]:
        account = ledger.account
        return (
            Levels(connection, account, ledger.low_stock).totals(),
            store.today(connection, account, since),
            store.waiting(connection, account),
            store.flow(connection, account),
        )

    return Overview(*ledger.database.run(read), queues(broker))


def waiting(ledger: Ledger) -> store.Waiting:
    """What waits for a person; raises DatabaseOutage."""
    return ledger.database.run(lambda connection: store.waiting(connection, ledger.account))


def queues(broker: Broker) -> Mapping[str, Depth] | None:
    """How much lies in each queue; None where the queue does not answer."""
    try:
        return {queue.name: broker.depth(queue.name) for queue in PIPELINE.queues}
    except Outage:
        return None
