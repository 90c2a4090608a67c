"""What a week's facts say: sums by product, best sellers, what runs out soon; decisions only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from shared.alerts import Sold as Lately
from shared.cover import PACE_DAYS, days_left
from shared.periods import DAY
from shared.stock_levels import Level, closing
from shared.vocabulary import MovementKind
from shared.weekly_report import Day, KindSum, ProductWeek, Row, Seller, Sold

SOON_DAYS: Final = 14
MOST_PRODUCTS: Final = 100
MOST_SELLERS: Final = 10
MOST_RAN_OUT: Final = 50
MOST_ROWS: Final = 20_000

_COLUMNS: Final = {
    MovementKind.SALE: "sold",
    MovementKind.RESTOCK: "restocked",
    MovementKind.EXTERNAL: "edited",
    MovementKind.OVERWRITTEN: "edited",
    MovementKind.RETURNED: "returned",
    MovementKind.OVERSOLD: "oversold",
    MovementKind.OPENING: "opened",
}
"""Where a kind of movement counts; what is not named is a correction."""


def by_product(sums: Iterable[KindSum]) -> list[ProductWeek]:
    """A row for each product, those that sold most first."""
    names: dict[str, str] = {}
    found: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in sums:
        names[one.product] = one.name
        known = one.kind in set(MovementKind)
        column = _COLUMNS.get(MovementKind(one.kind), "corrected") if known else "corrected"
        found[one.product][column] += -one.delta if column == "sold" else one.delta
    rows = [ProductWeek(product=product, name=names[product], **parts) for product, parts in found.items()]
    return sorted(rows, key=lambda row: (-row.sold, -abs(row.change), row.name, row.product))


def sellers(sold: Iterable[Sold], ends: datetime) -> list[Seller]:
    """Each size that was sold lately, with the days it lasts."""
    return [
        Seller(
            product=one.product,
            name=one.name,
            size=one.size,
            sold=one.sold,
            left=max(0, one.left),
            cover=days_left(one.left, Lately(one.sold_lately, (ends - one.first) / DAY)),
        )
        for one in sold
    ]


def best(found: Sequence[Seller]) -> tuple[Seller, ...]:
    """Those that sold most in the week."""
    ranked = sorted(found, key=lambda one: (-one.sold, one.name, one.product, one.size))
    return tuple(one for one in ranked[:MOST_SELLERS] if one.sold > 0)


def soon(found: Sequence[Seller]) -> tuple[Seller, ...]:
    """Those that are not out yet and last the least, up to two weeks."""
    short = [one for one in found if one.left and one.cover is not None and one.cover <= SOON_DAYS]
    return tuple(sorted(short, key=lambda one: (one.cover, -one.sold, one.name, one.size))[:MOST_SELLERS])


def course(days: Sequence[date], daily: Mapping[int, tuple[int, int]], now: int) -> tuple[Day, ...]:
    """Stock at the end of each day and units sold on it; `daily` counts days from 1, after the last what came since."""
    changes = [daily.get(n, (0, 0)) for n in range(1, len(days) + 2)]
    balances = closing(now, [delta for delta, _ in changes])
    return tuple(Day(day=day, stock=max(0, balances[n]), sold=changes[n][1]) for n, day in enumerate(days))


def rows(levels: Iterable[Level]) -> tuple[Row, ...]:
    """The table that is attached."""
    return tuple(
        Row(
            product=level.product,
            name=level.name,
            size=level.size,
            units=level.units,
            status=level.status,
        )
        for level in levels
    )


def pace_begins(ends: datetime) -> datetime:
    """From when on sales say how long the stock lasts."""
    return ends - timedelta(days=PACE_DAYS)
