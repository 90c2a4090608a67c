"""The end of a product's ledger when it is gone from Stripe, and going on with it where that was not so."""

from __future__ import annotations

from typing import Final

from services.stock_worker import alerting
from services.stock_worker.books import Sitting, Tx
from services.stock_worker.deps import Deps
from shared import logs
from shared.vocabulary import Movement, MovementKind, ProductId

log = logs.get(__name__)

END: Final = "end"
"""What a ledger had when it ended is kept like a state known under this marker, which no write bears."""


def close(sitting: Sitting, product: ProductId, deps: Deps) -> None:
    """The product is gone from Stripe: its ledger ends at 0, later sales wait for a person."""
    with sitting.transaction() as tx:
        tx.products.create(product, "")
        row = tx.products.lock(product)
        left = {variant.size: variant.on_hand for variant in tx.products.variants([product])}
        version = row.version if row else 0
        ends = [
            Movement(
                deps.account,
                product,
                size,
                -units,
                MovementKind.CLOSED,
                f"closed:{deps.account}:{product}:{version}:{size}",
            )
            for size, units in left.items()
            if units
        ]
        tx.movements.append(ends)
        before = tx.writes.last_known(product, END) if row and row.state == "closed" else None
        had = {size: units + (before or {}).get(size, 0) for size, units in left.items()}
        tx.writes.append_known(product, END, units=had)
        tx.products.set_state(product, "closed", reason="deleted in Stripe")
        tx.products.next_version(product)
        tx.products.mark_clean(product)
        alerting.closed(tx, product, list(left))
    log.info("product_closed", product=product)


def reopen(tx: Tx, product: ProductId, version: int, deps: Deps) -> None:
    """The product was not gone after all: its ledger goes on with what it had."""
    had = tx.writes.last_known(product, END) or {}
    tx.movements.append(
        [
            Movement(
                deps.account,
                product,
                size,
                units,
                MovementKind.ADJUSTMENT,
                f"reopened:{deps.account}:{product}:{version}:{size}",
                actor="stripe",
                reason="it was gone from Stripe, and is back",
            )
            for size, units in had.items()
            if units
        ]
    )
    tx.products.set_state(product, "tracked")
    tx.products.next_version(product)
    log.info("product_reopened", product=product)
