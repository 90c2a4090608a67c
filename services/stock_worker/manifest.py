"""The manifest dialect: `item_<n>_product_id`, `_size`, `_quantity` in metadata, matched to the lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.stripe_api.objects import LineItem
from shared.vocabulary import LineItemId, ProductId, Size, parse_units

MOST_ENTRIES: Final = 16
"""With three keys each, Stripe's 50 keys of metadata hold no more: what comes after them is not written down."""
_KEY: Final = re.compile(r"item_([0-9]{1,3})_product_id", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the shop wrote down for one item; `quantity` is None where it is no number."""

    product: ProductId
    size: Size | None
    quantity: int | None


def entries(metadata: Mapping[str, str]) -> tuple[Entry, ...]:
    """The manifest in a session's `metadata`, in the order of its numbers."""
    numbers = sorted(int(match[1]) for key in metadata if (match := _KEY.fullmatch(key)))
    return tuple(
        Entry(
            ProductId(metadata[f"item_{n}_product_id"].strip()),
            Size(size) if (size := metadata.get(f"item_{n}_size", "").strip()) else None,
            parse_units(metadata.get(f"item_{n}_quantity", "").strip()),
        )
        for n in numbers
        if f"item_{n}_product_id" in metadata
    )


@dataclass(frozen=True, slots=True)
class Matched:
    """Which entry speaks for which line; `complete` when every entry found its line and more would have had room."""

    by_line: Mapping[LineItemId, Entry]
    complete: bool


def match(lines: Sequence[LineItem], manifest: Sequence[Entry], kept: Collection[ProductId] = ()) -> Matched:
    """Pair lines and entries: by catalogue product first, what is left by quantity.

    A line of a product whose stock is `kept`, and that the manifest does not name, speaks for itself.

    Among lines of equal quantity it makes no difference to any total which entry takes which line, so that is
    no guess. Where quantities differ (the customer adjusted them), only one line and one entry can pair.
    """
    by_line: dict[LineItemId, Entry] = {}
    left = list(manifest)
    named = {entry.product for entry in manifest}
    for product in dict.fromkeys(line.price.product.id for line in lines if line.price):
        if product in named:
            own = [line for line in lines if line.price and line.price.product.id == product]
            left = _pair(own, [e for e in left if e.product == product], by_line) + [
                entry for entry in left if entry.product != product
            ]
    spoken_for = {*named, *kept}
    rest = [line for line in lines if line.price is None or line.price.product.id not in spoken_for]
    left = _pair(rest, left, by_line)
    return Matched(by_line, complete=not left and len(manifest) < MOST_ENTRIES)


def _pair(lines: list[LineItem], wanted: list[Entry], by_line: dict[LineItemId, Entry]) -> list[Entry]:
    free = list(lines)
    left: list[Entry] = []
    for entry in wanted:
        twin = next((line for line in free if line.quantity == entry.quantity), None)
        if twin is None:
            left.append(entry)
        else:
            by_line[twin.id] = entry
            free.remove(twin)
    if len(left) == len(free) == 1:
        by_line[free[0].id] = left.pop()
    return left
