"""What a table of stock changes: the ledger and what people wrote in, differences and problems out; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.backoffice.operations.changeable import called, listed, of_product, of_size
from services.backoffice.operations.whole_stock.sheet import Problem, Row
from shared.stock_metadata import unfit
from shared.vocabulary import MAX_UNITS, PLAIN, ProductId, Size, parse_units

_SHOWN: Final = 40
"""Characters of a wrong cell that are shown."""


@dataclass(frozen=True, slots=True)
class Stand:
    """One size as the ledger has it; `state` is managed, unreadable or missing."""

    on_hand: int
    state: str
    opened: bool


@dataclass(frozen=True, slots=True)
class Known:
    """One product as the ledger has it."""

    name: str
    state: str
    reason: str
    sizes: Mapping[Size, Stand]


@dataclass(frozen=True, slots=True)
class Change:
    """Units of a size `before` and `after`, and the line of the file that says so."""

    line: int
    product: ProductId
    name: str
    size: Size
    before: int
    after: int

    def __str__(self) -> str:
        """`Shirt (prod_1), size M`."""
        return called(self.product, self.name, self.size)


@dataclass(frozen=True, slots=True)
class NewSize:
    """A size that the product does not have yet, with its units."""

    line: int
    product: ProductId
    name: str
    size: Size
    units: int

    def __str__(self) -> str:
        """`Shirt (prod_1), size XL`."""
        return called(self.product, self.name, self.size)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the table changes.

    `unchanged` rows say what is there; `left_alone` are those without a number of sizes that have none in Stripe
    either, as an export shows them.
    """

    changes: tuple[Change, ...]
    new_sizes: tuple[NewSize, ...]
    unchanged: int
    left_alone: int
    problems: tuple[Problem, ...]


_Found = Change | NewSize | Problem | None
"""None: the row is left alone."""


def compare(rows: Sequence[Row], known: Mapping[ProductId, Known], *, create_sizes: bool) -> Comparison:
    """The table beside the ledger; sizes that are not there are problems unless `create_sizes`."""
    lines: dict[tuple[str, str], int] = {}
    found: list[_Found] = []
    for row in rows:
        place = row.product.strip(), row.size.strip()
        first = lines.setdefault(place, row.line)
        if first == row.line:
            found.append(_one(row, known.get(ProductId(place[0])), create_sizes=create_sizes))
        else:
            what = f"{place[0]}, size {place[1]}," if place[1] else place[0]
            found.append(Problem(row.line, f"{what} is in line {first} already"))
    changes = [one for one in found if isinstance(one, Change)]
    return Comparison(
        changes=tuple(one for one in changes if one.before != one.after),
        new_sizes=tuple(one for one in found if isinstance(one, NewSize)),
        unchanged=sum(one.before == one.after for one in changes),
        left_alone=found.count(None),
        problems=tuple(one for one in found if isinstance(one, Problem)),
    )


def products(rows: Iterable[Row]) -> frozenset[ProductId]:
    """The ids that the rows name."""
    return frozenset(ProductId(row.product.strip()) for row in rows if row.product.strip())


def _one(row: Row, product: Known | None, *, create_sizes: bool) -> _Found:
    size = Size(row.size.strip())
    if product is None:
        wanted = (
            f"no product has the id {row.product[:_SHOWN]!r}"
            if row.product.strip()
            else "there is no product id"
        )
        return Problem(row.line, f"{wanted}{f' ({row.name[:_SHOWN]})' if row.name else ''}")
    if hindrance := of_product(product.state, product.reason):
        return Problem(row.line, f"{called(ProductId(row.product.strip()), product.name)} {hindrance}")
    stand = product.sizes.get(size)
    units = _units(row.stock)
    if stand is None:
        return _new(row, size, product, units, create_sizes=create_sizes)
    return _changed(row, size, product.name, stand, units=units)


def _changed(row: Row, size: Size, name: str, stand: Stand, *, units: int | str) -> _Found:
    product = ProductId(row.product.strip())
    if isinstance(units, str) and stand.state != "managed":
        return None
    if hindrance := of_size(stand.state):
        return Problem(row.line, f"{called(product, name, size)} {hindrance}")
    if not stand.opened:
        return Problem(
            row.line, f"nobody has looked at {called(product, name, size)} yet: try again in a moment"
        )
    if isinstance(units, str):
        return Problem(row.line, f"{called(product, name, size)}: {units}")
    return Change(row.line, product, name, size, stand.on_hand, units)


def _new(row: Row, size: Size, product: Known, units: int | str, *, create_sizes: bool) -> _Found:
    """A size that the product was never seen with."""
    identity = ProductId(row.product.strip())
    whole, sizes = called(identity, product.name), sorted(product.sizes)
    if size == PLAIN:
        return Problem(row.line, f"{whole} has {listed(sizes)}: say which one")
    complaint = f"{whole} has no size {size[:_SHOWN]!r}, it has {listed(sizes)}"
    if not any(other != PLAIN for other in sizes):
        return Problem(row.line, complaint)
    if not create_sizes:
        return Problem(row.line, f"{complaint} (stocksync import --create-sizes creates it)")
    if wrong := unfit(size):
        return Problem(row.line, f"{whole} can't have a size {size[:_SHOWN]!r}: {wrong}")
    if isinstance(units, str):
        return Problem(row.line, f"{called(identity, product.name, size)}: {units}")
    return NewSize(row.line, identity, product.name, size, units)


def _units(text: str) -> int | str:
    """The units in a cell, or what is wrong with it."""
    text = text.strip()
    units = parse_units(text)
    if units is not None:
        return units
    shown = repr(text[:_SHOWN])
    if not text:
        return "there is no number: write one, or take the row out"
    if text.removeprefix("-").isdecimal() and text.isascii():
        if text.startswith("-"):
            return f"{shown} is less than nothing"
        if int(text[:_SHOWN]) > MAX_UNITS:
            return f"no size can have more than {MAX_UNITS:,} units, not {shown}"
    return f"{shown} is not a plain whole number"
