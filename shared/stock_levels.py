"""How much there is of what: a size's status, totals, and the table that shops know."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.spreadsheet import Value
from shared.vocabulary import ProductId, Size, StockStatus


@dataclass(frozen=True, slots=True)
class Level:
    """One size of one product; `units` None: no number, `shown` is then what stands there, if known."""

    product: ProductId
    name: str
    size: Size
    units: int | None
    status: StockStatus
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """Figures over many levels; `low` and `out` count sizes."""

    products: int
    sizes: int
    units: int
    low: int
    out: int


HEADER: Final = ("Product ID", "Product Name", "Size", "Stock", "Status")
HEADER_WITH_PRICES: Final = ("Product ID", "Product Name", "Price", "Size", "Stock", "Status")


def status(units: int | None, threshold: int) -> StockStatus:
    """Out at 0 or below, low up to `threshold`."""
    if units is None:
        return StockStatus.NOT_A_NUMBER
    if units <= 0:
        return StockStatus.OUT
    return StockStatus.LOW if units <= threshold else StockStatus.IN


def totals(levels: Collection[Level]) -> Totals:
    """The figures of `levels`; what was oversold does not take from others' units."""
    return Totals(
        products=len({level.product for level in levels}),
        sizes=len(levels),
        units=sum(max(0, level.units or 0) for level in levels),
        low=sum(level.status is StockStatus.LOW for level in levels),
        out=sum(level.status is StockStatus.OUT for level in levels),
    )


def rows(
    levels: Collection[Level], prices: Mapping[ProductId, str] | None = None
) -> Iterator[tuple[Value, ...]]:
    """The levels as rows under HEADER, or with `prices` under HEADER_WITH_PRICES."""
    for level in levels:
        price = () if prices is None else (prices.get(level.product, ""),)
        stock = level.units if level.units is not None else level.shown
        yield level.product, level.name, *price, level.size, stock, level.status.value


def closing(now: int, deltas: Sequence[int]) -> list[int]:
    """The balance at the end of each of some days, the last of them ending with `now`; `deltas` by day."""
    balances: list[int] = []
    for delta in reversed(deltas):
        balances.append(now)
        now -= delta
    return balances[::-1]
