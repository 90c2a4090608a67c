"""The order in which people name sizes: XS before S before M, 8 before 10, and the rest by the alphabet."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from shared.vocabulary import Size

Rank = tuple[int, Decimal, str]
_LETTERS: Final = re.compile(r"(?:(\d{1,2})X|(X*))(S|L)|(M)", re.IGNORECASE | re.ASCII)
_NUMBER: Final = re.compile(r"(\d{1,6}(?:[.,]\d{1,3})?)(.*)", re.ASCII)


def rank(size: Size) -> Rank:
    """What sizes are sorted by."""
    if letters := _LETTERS.fullmatch(size.strip()):
        return 0, _letters(letters), size
    if number := _NUMBER.fullmatch(size.strip()):
        return 1, Decimal(number[1].replace(",", ".")), number[2]
    return 2, Decimal(0), size


def in_order(sizes: Iterable[Size]) -> list[Size]:
    """The sizes as people would write them down."""
    return sorted(sizes, key=rank)


def _letters(found: re.Match[str]) -> Decimal:
    """M is 0, S below and L above it, each X further out; 3XL is XXXL."""
    if found[4]:
        return Decimal(0)
    steps = 1 + (int(found[1]) if found[1] else len(found[2]))
    return Decimal(steps if found[3].upper() == "L" else -steps)
