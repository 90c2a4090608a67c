"""What a sold line said of itself, and what people taught that it means: the values that both sides compare."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.storable import storable_text
from shared.vocabulary import ProductId, Size

LONGEST_NAME: Final = 250
LONGEST_SIZE: Final = 100
"""Characters of what can be taught."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a line said: the `product` it named, or else its normalized `name`; the `size` as it stands, or ''."""

    product: str
    name: str
    size: str

    @property
    def recognisable(self) -> bool:
        """Whether there is anything that tells such lines from all others."""
        return bool(self.product or self.name)


@dataclass(frozen=True, slots=True)
class Alias:
    """That a line which says so is of this size; `by` whom it was taught."""

    id: int
    product: ProductId
    size: Size
    by: str

    @property
    def reason(self) -> str:
        """Why a movement was made, for people."""
        return f"placed by alias {self.id}, which {self.by} taught"


Aliases = Mapping[Told, Alias]


def told(product: str | None, name: str, size: str | None) -> Told:
    """What a line said that named this product, was called so, and named this size."""
    return Told(storable_text(product or ""), "" if product else normalized(name), storable_text(size or ""))


def normalized(name: str) -> str:
    """`name` without what people do not see: case, and how many spaces there are."""
    return " ".join(unicodedata.normalize("NFC", storable_text(name)).casefold().split())
