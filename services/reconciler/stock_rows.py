"""The rows that a product has in a snapshot; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared import stock_metadata
from shared.stock_levels import status
from shared.stock_metadata import stock_key
from shared.stripe_api.objects import Product
from shared.vocabulary import Size, StockStatus


@dataclass(frozen=True, slots=True)
class StockRow:
    """One size: Stripe's text (None: there is no key), the units in it, and how it stands."""

    size: Size
    value: str | None
    units: int | None
    status: StockStatus


@dataclass(frozen=True, slots=True)
class Low:
    """From where on a product's sizes count as low, in units: a size's own threshold, else `product`'s."""

    product: int
    sizes: Mapping[Size, int]


def rows(product: Product, low: Low) -> list[StockRow]:
    """The product's sizes in the order it lists them; empty where it keeps no stock."""
    sheet = stock_metadata.read(product.metadata)
    return [
        StockRow(
            size,
            product.metadata.get(stock_key(size)),
            sheet.units.get(size),
            _status(size in sheet.missing, sheet.units.get(size), low.sizes.get(size, low.product)),
        )
        for size in stock_metadata.listed_sizes(product.metadata) or sheet.sizes
    ]


def _status(missing: bool, units: int | None, threshold: int) -> StockStatus:
    return StockStatus.NO_VALUE if missing else status(units, threshold)
