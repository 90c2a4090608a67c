"""Snapshots that were taken: which there are, and one of them whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from services.backoffice.operations.reports.report import StockReport
from services.backoffice.operations.reports.stock import Ledger
from shared.database.pool import Connection
from shared.refusal import Refused
from shared.stock_levels import Level
from shared.store.snapshot_pages import SnapshotPages
from shared.store.snapshots import Snapshot, SnapshotRow, Snapshots

PAGE: Final = 50
"""Snapshots of one page."""
_LARGEST: Final = 2**63 - 1


class NoSuchSnapshot(Refused):
    """It was never taken, or is thinned out by now."""


def taken(ledger: Ledger, before: datetime | None) -> tuple[list[Snapshot], datetime | None]:
    """A page of them, newest first, and where the next one begins (None: nowhere); raises DatabaseOutage."""
    begins = before or datetime.max.replace(tzinfo=UTC)
    found = ledger.database.run(lambda c: SnapshotPages(c, ledger.account).before(begins, PAGE + 1))
    return found[:PAGE], found[PAGE - 1].finished_at if len(found) > PAGE else None


def one(ledger: Ledger, number: int) -> Snapshot:
    """The snapshot with this number; raises NoSuchSnapshot, DatabaseOutage."""
    return ledger.database.run(lambda connection: _one(connection, ledger, number))


def whole(ledger: Ledger, number: int) -> StockReport:
    """All that it holds, as a report; raises NoSuchSnapshot, DatabaseOutage."""

    def read(connection: Connection) -> StockReport:
        snapshot = _one(connection, ledger, number)
        levels = map(_level, Snapshots(connection, ledger.account).rows(number))
        ordered = sorted(levels, key=lambda level: (level.name, level.product, level.size))
        return StockReport(snapshot.finished_at, "snapshot", tuple(ordered))

    return ledger.database.run(read)


def _one(connection: Connection, ledger: Ledger, number: int) -> Snapshot:
    found = None
    if number <= _LARGEST:
        found = SnapshotPages(connection, ledger.account).numbered(number)
    if found is None:
        raise NoSuchSnapshot(f"there is no snapshot {number}; old ones are thinned out")
    return found


def _level(row: SnapshotRow) -> Level:
    return Level(row.product, row.name, row.size, row.units, row.status, row.value or "")
