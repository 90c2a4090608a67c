"""The marker `stock_rev`: which of our writes a product's metadata came from."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.vocabulary import ProductId, Size

INSTALLATION: Final = re.compile(r"[a-z0-9]{1,32}", re.ASCII)
_FORMAT: Final = re.compile(rf"1:({INSTALLATION.pattern}):([0-9]{{1,18}}):([0-9a-f]{{8}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Marker:
    """One write's stamp: who wrote it, its revision, and a checksum that binds product and values."""

    installation: str
    rev: int
    checksum: str

    def __str__(self) -> str:
        """`1:<installation>:<rev>:<crc32>`, as it stands in the metadata."""
        return f"1:{self.installation}:{self.rev}:{self.checksum}"


def stamp(installation: str, rev: int, product: ProductId, values: Mapping[Size, int]) -> Marker:
    """The marker of write `rev` of `product` with the managed `values`."""
    return Marker(installation, rev, checksum(product, values))


def checksum(product: ProductId, values: Mapping[Size, int]) -> str:
    """CRC-32 (8 hex digits) of the product id and the managed values in one canonical form."""
    canonical = json.dumps([product, sorted(values.items())], separators=(",", ":"), ensure_ascii=True)
    return f"{zlib.crc32(canonical.encode()):08x}"


def parse(text: str | None) -> Marker | None:
    """The marker in `text`, or None where it is not one."""
    match = _FORMAT.fullmatch(text or "")
    return Marker(match[1], int(match[2]), match[3]) if match else None
