"""Which size a paid line was, by what the shop wrote and the publicly known ways.

The simulator has its own reading on purpose: it judges the keeper, so it shares nothing with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Metadata = Mapping[str, str]

_MANIFEST = re.compile(r"item_([0-9]{1,3})_product_id", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cart as the shop made it; `stock` is the product's metadata, None once it is deleted."""

    identity: str
    product: str
    quantity: int
    own: Metadata
    price: Metadata
    stock: Metadata | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One `item_<n>_…` of a session's manifest."""

    product: str
    size: str | None


def number(text: str | None) -> int | None:
    """The units in `text`, None unless it is a plain decimal number."""
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def sheet(metadata: Metadata) -> dict[str, str | None]:
    """The text under each size's key, None for a listed size without one; the size `""` is plain stock."""
    sizes = [name.strip() for name in metadata.get("sizes", "").split(",") if name.strip()]
    if sizes:
        return {size: metadata.get(f"stock_{size}") for size in sizes}
    return {"": metadata["stock"]} if "stock" in metadata else {}


def manifest(metadata: Metadata) -> list[Entry]:
    """The entries of a session's manifest in the order of their numbers."""
    found = [(int(match[1]), key) for key in metadata if (match := _MANIFEST.fullmatch(key))]
    return [
        Entry(metadata[key], metadata.get(f"item_{position}_size") or None)
        for position, key in sorted(found, key=lambda pair: pair[0])
    ]


def matched(lines: Sequence[Line], entries: Sequence[Entry]) -> dict[str, Entry]:
    """Which manifest entry speaks of which line: by product in order, else by place in the cart."""
    left = list(entries)
    found: dict[str, Entry] = {}
    for line in lines:
        entry = next((entry for entry in left if entry.product == line.product), None)
        if entry:
            left.remove(entry)
            found[line.identity] = entry
    if len(entries) == len(lines):
        others = [line for line in lines if line.identity not in found]
        found |= {line.identity: entry for line, entry in zip(others, left, strict=True)}
    return found


def sized(lines: Sequence[Line]) -> set[str]:
    """The products in the cart that have sizes."""
    return {line.product for line in lines if line.stock is not None and any(sheet(line.stock))}


def says(line: Line, entry: Entry | None, cart_size: str | None) -> str | None:
    """The size that is named for `line`, by the first way that names one; None where none does."""
    for named in (line.own.get("size"), line.price.get("size"), entry and entry.size, cart_size):
        if named and named.strip():
            return named.strip()
    sizes = sheet(line.stock or {})
    return next(iter(sizes)) if len(sizes) == 1 else None
