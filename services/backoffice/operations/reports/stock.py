"""How much there is, now and at any moment of the past, and how it got there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.backoffice.operations.reports.products import Unclear, find
from shared.database.pool import Database
from shared.periods import DAY, last_days, midnight
from shared.size_order import in_order
from shared.stock_levels import Level, closing
from shared.store.levels import Course, Levels, Named
from shared.store.snapshots import Snapshots
from shared.vocabulary import AccountKey, Size, StockStatus


@dataclass(frozen=True, slots=True)
class Asked:
    """What stock to show: of one product or all, only what is low or out, at a moment or now (None)."""

    product: str | None = None
    low: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """One account's ledger; `low_stock` is the shop's threshold in units."""

    database: Database
    account: AccountKey
    low_stock: int


def stock(ledger: Ledger, asked: Asked, now: datetime) -> list[Level]:
    """The levels that were `asked` for, by name and size; raises Unclear, DatabaseOutage."""
    if asked.at is not None and asked.at > now:
        raise Unclear("that moment is in the future")
    product = find(ledger.database, ledger.account, asked.product).id if asked.product is not None else None

    def read(levels: Levels) -> list[Level]:
        return levels.now(product) if asked.at is None else levels.at(asked.at, product)

    found = ledger.database.run(lambda c: read(Levels(c, ledger.account, ledger.low_stock)))
    return [one for one in found if not asked.low or one.status in {StockStatus.LOW, StockStatus.OUT}]


@dataclass(frozen=True, slots=True)
class Line:
    """One size's units at the end of each day; None before it was first seen."""

    size: Size
    points: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """A product's stock over some days, the last of them today.

    `lines` are the ledger's, and of days before it knew the size the snapshots'; `snapshots` only what those show.
    """

    product: Named
    days: tuple[date, ...]
    lines: tuple[Line, ...]
    snapshots: tuple[Line, ...]


def trend(ledger: Ledger, wanted: str, days: int, *, now: datetime, zone: ZoneInfo) -> Trend:
    """How the stock of the product that `wanted` names went, day by day; raises Unclear, DatabaseOutage."""
    return course(ledger, find(ledger.database, ledger.account, wanted), days, now=now, zone=zone)


def course(ledger: Ledger, product: Named, days: int, *, now: datetime, zone: ZoneInfo) -> Trend:
    """How the stock of `product` went, day by day; raises DatabaseOutage."""
    shown = last_days(days, now, zone)
    starts = [midnight(day, zone) for day in shown]
    courses, seen = ledger.database.run(
        lambda c: (
            Levels(c, ledger.account, ledger.low_stock).courses(product.id, starts),
            Snapshots(c, ledger.account).courses(product.id, starts),
        )
    )
    ends = [*starts[1:], midnight(shown[-1] + DAY, zone)]
    snapshots = [Line(size, tuple(map(units.get, range(1, days + 1)))) for size, units in seen.items()]
    return Trend(
        product,
        tuple(shown),
        filled([_line(course, ends) for course in courses], snapshots),
        tuple(snapshots),
    )


def filled(lines: Sequence[Line], others: Sequence[Line]) -> tuple[Line, ...]:
    """`lines`, with the points that they lack from `others`, which also have the sizes that they lack; by size."""
    own, more = ({line.size: line.points for line in some} for some in (lines, others))
    nothing = (None,) * max((len(points) for points in (*own.values(), *more.values())), default=0)
    return tuple(
        Line(
            size,
            tuple(
                mine if mine is not None else other
                for mine, other in zip(own.get(size, nothing), more.get(size, nothing), strict=True)
            ),
        )
        for size in in_order(own.keys() | more.keys())
    )


def _line(course: Course, ends: list[datetime]) -> Line:
    balances = closing(course.on_hand, course.deltas)
    known = [units if course.first_seen < end else None for units, end in zip(balances, ends, strict=True)]
    return Line(course.size, tuple(known))
