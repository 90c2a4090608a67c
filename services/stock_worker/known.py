"""K(marker): what is known of a product under one of our markers."""

from __future__ import annotations

from collections.abc import Collection

from services.stock_worker.books import Tx
from shared.vocabulary import ProductId, Size
from shared.writes import Units


def known_under(tx: Tx, product: ProductId, marker: str, sizes: Collection[Size]) -> Units | None:
    """K(`marker`).last, where it lacks one of `sizes` with what is known of it under the markers before it.

    A write sends only the numbers that could be read when it was planned: of the others nothing is known under its
    marker until they are seen there. None where the marker is unknown.
    """
    known = tx.writes.last_known(product, marker)
    if known is None:
        return None
    found = dict(known)
    missing = set(sizes) - found.keys()
    while missing and (write := tx.writes.by_marker(marker)) is not None:
        marker = write.base_marker
        below = tx.writes.last_known(product, marker) or {}
        found |= {size: below[size] for size in missing & below.keys()}
        missing -= below.keys()
    return found
