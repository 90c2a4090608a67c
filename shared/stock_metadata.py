"""How shops keep stock in a product's metadata: `sizes`, `stock_<size>`, or `stock` alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.vocabulary import PLAIN, Size, parse_units

SIZES_KEY: Final = "sizes"
STOCK_KEY: Final = "stock"
MARKER_KEY: Final = "stock_rev"
LONGEST_KEY: Final = 40
LONGEST_VALUE: Final = 500
MOST_KEYS: Final = 50
"""Stripe's limits of metadata, in characters and keys."""


@dataclass(frozen=True, slots=True)
class StockSheet:
    """What one product's metadata says.

    `units` holds the sizes with a canonical number, `unreadable` the raw text of those without one,
    `missing` the sizes that are listed but have no `stock_<size>` key.
    """

    units: Mapping[Size, int] = field(default_factory=dict[Size, int])
    unreadable: Mapping[Size, str] = field(default_factory=dict[Size, str])
    missing: tuple[Size, ...] = ()

    @property
    def tracked(self) -> bool:
        """Whether the product keeps stock at all."""
        return bool(self.units or self.unreadable or self.missing)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """Every size the product names, readable or not."""
        return (*self.units, *self.unreadable, *self.missing)


def stock_key(size: Size) -> str:
    """The metadata key that holds the units of `size`."""
    return STOCK_KEY if size == PLAIN else f"{STOCK_KEY}_{size}"


def listed_sizes(metadata: Mapping[str, str]) -> tuple[Size, ...]:
    """The names in `sizes`, spaces around them ignored, each once; empty where there are none."""
    names = (name.strip() for name in metadata.get(SIZES_KEY, "").split(","))
    return tuple(dict.fromkeys(Size(name) for name in names if name))


def unfit(size: Size) -> str:
    """Why no size can have this name; '' where one can."""
    longest = LONGEST_KEY - len(stock_key(Size("x"))) + 1
    if not size or size != size.strip():
        return "a size needs a name, without spaces around it"
    if any(c in ",[]" or not c.isprintable() for c in size):
        return "the name of a size has no commas, square brackets or signs that can't be seen"
    if stock_key(size) == MARKER_KEY:
        return f"the key {MARKER_KEY} is taken by stocksync itself"
    return f"the name of a size has at most {longest} characters" if len(size) > longest else ""


def with_sizes(metadata: Mapping[str, str], units: Mapping[Size, int]) -> dict[str, str]:
    """The keys that give a product with sizes these more, and nothing of those it has; raises ValueError."""
    if not listed_sizes(metadata):
        raise ValueError("the product keeps no stock by size")
    added = {stock_key(size): str(number) for size, number in units.items()}
    if there := [size for size in units if size in listed_sizes(metadata) or stock_key(size) in metadata]:
        raise ValueError(f"Stripe shows {', '.join(there)} by now")
    names = ",".join([metadata[SIZES_KEY].rstrip(", "), *units])
    if len(names) > LONGEST_VALUE or len(metadata) + len(added) > MOST_KEYS:
        raise ValueError(
            f"the product's metadata is full: Stripe takes {MOST_KEYS} keys, and {LONGEST_VALUE} characters in each"
        )
    return {SIZES_KEY: names, **added}


def numbers(metadata: Mapping[str, str]) -> dict[Size, int]:
    """Every canonical number under a stock key, whether its size is listed or not."""
    found: dict[Size, int] = {}
    for key, text in metadata.items():
        units = parse_units(text) if key != MARKER_KEY else None
        if units is not None and (key == STOCK_KEY or key.startswith(f"{STOCK_KEY}_")):
            found[Size(key.removeprefix(STOCK_KEY).removeprefix("_"))] = units
    return found


def read(metadata: Mapping[str, str]) -> StockSheet:
    """The stock sheet in `metadata`; an untracked one where neither `sizes` nor `stock` is present."""
    sizes = listed_sizes(metadata) or ((PLAIN,) if STOCK_KEY in metadata else ())
    units: dict[Size, int] = {}
    unreadable: dict[Size, str] = {}
    missing: list[Size] = []
    for size in sizes:
        text = metadata.get(stock_key(size))
        if text is None:
            missing.append(size)
        elif (number := parse_units(text)) is None:
            unreadable[size] = text
        else:
            units[size] = number
    return StockSheet(units, unreadable, tuple(missing))
