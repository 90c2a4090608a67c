"""What the keeper's ledger holds: sums of movements by size, for sales and for edits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from shared.vocabulary import MovementKind, ProductId, Size, Variant

EDITS = (MovementKind.EXTERNAL, MovementKind.OVERWRITTEN)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Units by size and number of movements, by kind."""

    units: dict[MovementKind, Counter[Variant]] = field(default_factory=dict[MovementKind, Counter[Variant]])
    movements: Counter[MovementKind] = field(default_factory=Counter[MovementKind])

    def sum(self, *kinds: MovementKind) -> dict[Variant, int]:
        """Units that movements of these kinds brought, by size; sizes without any effect are left out."""
        total: Counter[Variant] = Counter()
        for kind in kinds:
            total.update(self.units.get(kind, Counter[Variant]()))
        return nonzero(total)


def nonzero(units: Counter[Variant]) -> dict[Variant, int]:
    """Only the sizes that changed."""
    return {variant: number for variant, number in units.items() if number}


def read(address: str, products: Sequence[ProductId]) -> Ledger:
    """What the database at `address` says of these products."""
    ledger = Ledger()
    with psycopg.connect(address) as connection:
        rows = connection.execute(
            "select kind, product_id, size, sum(delta)::bigint, count(*)"
            " from movement where product_id = any(%s) group by kind, product_id, size",
            [list(products)],
        ).fetchall()
    for kind, product, size, units, movements in rows:
        named = MovementKind(kind)
        ledger.units.setdefault(named, Counter())[Variant(ProductId(product), Size(size))] = units
        ledger.movements[named] += movements
    return ledger
