"""The products a page at a time, and one of them with all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.backoffice.operations.reports.stock import Ledger
from shared import cover
from shared.database.pool import Connection
from shared.periods import last_days, midnight
from shared.refusal import Refused
from shared.stock_levels import Level, closing
from shared.store.levels import Levels, Named
from shared.store.movements import sold_lately
from shared.store.product_pages import ProductLine, ProductPages, Standing
from shared.store.snapshots import Snapshots
from shared.vocabulary import ProductId

PAGE: Final = 50  # products
DAYS: Final = 14
"""Days of the line beside each product."""


class NoSuchProduct(Refused):
    """The ledger has never seen a product with this id."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of products; `matching` are there on all pages together."""

    lines: list[ProductLine]
    matching: int
    number: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.matching // PAGE))


def listing(ledger: Ledger, search: str, standing: Standing, number: int) -> Listing:
    """Page `number` (from 1) of the products that match; raises DatabaseOutage."""
    offset = (number - 1) * PAGE
    lines = ledger.database.run(
        lambda c: ProductPages(c, ledger.account, ledger.low_stock).page(
            search, standing, limit=PAGE, offset=offset
        )
    )
    return Listing(lines, lines[0].matching if lines else 0, number)


def levels(ledger: Ledger, product: ProductId) -> tuple[Named, list[Level]]:
    """The product and its sizes, without those that keep no number; raises NoSuchProduct, DatabaseOutage."""

    def read(connection: Connection) -> tuple[Named | None, list[Level]]:
        stock = Levels(connection, ledger.account, ledger.low_stock)
        return stock.named(product), stock.now(product)

    named, found = ledger.database.run(read)
    if named is None:
        raise NoSuchProduct(f"no product {product} was ever seen")
    return named, found


@dataclass(frozen=True, slots=True)
class Shelf:
    """One size: from which number on it counts as `low_at`, whose number that is, and how many days it lasts.

    `days_left` is None where nothing was sold lately. `own` is the size's own threshold, None where there is none.
    """

    level: Level
    low_at: int
    own: int | None
    days_left: int | None


@dataclass(frozen=True, slots=True)
class Shelves:
    """A product's sizes; `own` is the whole product's threshold, None where the shop's applies."""

    product: Named
    sizes: list[Shelf]
    own: int | None


def shelves(ledger: Ledger, product: ProductId) -> Shelves:
    """The product's sizes, with thresholds and how long each lasts; raises NoSuchProduct, DatabaseOutage."""
    named, found = levels(ledger, product)
    variants = [(ledger.account, level.product, level.size) for level in found]
    own, sold = ledger.database.run(
        lambda c: (
            Snapshots(c, ledger.account).thresholds([product]),
            sold_lately(c, variants, days=cover.PACE_DAYS),
        )
    )
    whole = own.products.get(product)
    default = ledger.low_stock if whole is None else whole
    sizes: list[Shelf] = []
    for level, variant in zip(found, variants, strict=True):
        mine, pace = own.sizes.get((product, level.size)), sold.get(variant)
        days = cover.days_left(level.units, pace) if level.units is not None and pace is not None else None
        sizes.append(Shelf(level, default if mine is None else mine, mine, days))
    return Shelves(named, sizes, whole)


def courses(
    ledger: Ledger, listed: Listing, now: datetime, zone: ZoneInfo
) -> Mapping[ProductId, tuple[int, ...]]:
    """Units of each product on a page at the end of each of the last DAYS days, in one query; raises DatabaseOutage."""
    starts = [midnight(day, zone) for day in last_days(DAYS, now, zone)]
    products = [line.id for line in listed.lines]
    found = ledger.database.run(
        lambda c: ProductPages(c, ledger.account, ledger.low_stock).courses(products, starts)
    )
    return {
        product: tuple(
            max(0, units) for units in closing(on_hand, [daily.get(day, 0) for day in range(1, DAYS + 1)])
        )
        for product, (on_hand, daily) in found.items()
    }
