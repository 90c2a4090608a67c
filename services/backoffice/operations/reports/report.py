"""The stock as it is now, from the ledger or from Stripe, with prices on request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.backoffice.operations.reports import prices
from services.backoffice.operations.reports.stock import Ledger
from shared import stock_metadata
from shared.size_order import in_order
from shared.stock_levels import Level, Totals, status, totals
from shared.store.levels import Levels
from shared.stripe_api.client import StripeApi
from shared.stripe_api.objects import ListedProduct
from shared.vocabulary import ProductId, Size

Thresholds = Mapping[tuple[ProductId, Size | None], int]
"""By product and size; the size is None where it is the whole product's."""


@dataclass(frozen=True, slots=True)
class StockReport:
    """All levels at a moment, by name and size; prices by product if asked for.

    `source` is `ledger`, `stripe` or `snapshot`.
    """

    made_at: datetime
    source: str
    levels: tuple[Level, ...]
    prices: Mapping[ProductId, str] | None = None
    totals: Totals = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "totals", totals(self.levels))


def from_ledger(ledger: Ledger, now: datetime, stripe: StripeApi | None = None) -> StockReport:
    """The ledger's numbers, with prices from `stripe` if it is given; raises Outage, StripeFailed."""
    levels = ledger.database.run(lambda c: Levels(c, ledger.account, ledger.low_stock).now())
    priced = None if stripe is None else _prices(stripe.catalogue(prices=True))
    return StockReport(now, "ledger", tuple(levels), priced)


def from_stripe(ledger: Ledger, now: datetime, stripe: StripeApi, *, priced: bool) -> StockReport:
    """What Stripe shows, under the ledger's thresholds; raises Outage, StripeFailed."""
    thresholds = ledger.database.run(lambda c: Levels(c, ledger.account, ledger.low_stock).thresholds())
    products = sorted(stripe.catalogue(prices=priced), key=lambda product: (product.name, product.id))
    levels = [level for product in products for level in shown(product, thresholds, ledger.low_stock)]
    return StockReport(now, "stripe", tuple(levels), _prices(products) if priced else None)


def shown(product: ListedProduct, thresholds: Thresholds, low_stock: int) -> Iterator[Level]:
    """What the product's metadata says of each size that has a stock key."""
    sheet = stock_metadata.read(product.metadata)
    default = thresholds.get((product.id, None), low_stock)
    for size in in_order((*sheet.units, *sheet.unreadable)):
        units = sheet.units.get(size)
        threshold = thresholds.get((product.id, size), default)
        text = sheet.unreadable.get(size, "")
        yield Level(product.id, product.name, size, units, status(units, threshold), text)


def _prices(products: Iterable[ListedProduct]) -> dict[ProductId, str]:
    return {product.id: prices.written(product.default_price) for product in products}
