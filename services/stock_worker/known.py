"""K(marker): what is known of a product under one of our markers."""

from __future__ import annotations

from collections.abc import Collection

from services.stock_worker.books import Tx
from services.stock_worker.protocol.plan import Base
from shared.vocabulary import ProductId, Size
from shared.writes import Units


def known_under(tx: Tx, product: ProductId, marker: str, sizes: Collection[Size]) -> Base:
    """K(`marker`).last, where it lacks one of `sizes` with what is known of it under the markers before it.

    A write sends only the numbers that could be read when it was planned: of the others nothing is known under its
    marker until they are seen there. The units are None where the marker is unknown.
    """
    of_marker, known = marker, tx.writes.last_known(product, marker)
    if known is None:
        return Base(marker, None)
    found = dict(known)
    missing = frozenset(sizes) - found.keys()
    passed: dict[str, frozenset[Size]] = {}
    while missing and (write := tx.writes.by_marker(marker)) is not None:
        passed[marker] = missing
        marker = write.base_marker
        below = tx.writes.last_known(product, marker) or {}
        found |= {size: below[size] for size in missing & below.keys()}
        missing -= below.keys()
    return Base(of_marker, found, passed)


def note_seen(tx: Tx, product: ProductId, base: Base, shown: Units) -> None:
    """Note that `shown` was compared with what was known before the `base`'s marker: nobody may count it once more."""
    for marker, sizes in base.passed.items():
        if marker != base.marker:
            known = tx.writes.last_known(product, marker) or {}
            units = {**known, **{size: shown[size] for size in sizes}}
            tx.writes.append_known(product, marker, units=units)
