"""Digesting the `product.updated` events of our own writes, as they arrive or the whole log in order."""

from __future__ import annotations

from collections.abc import Sequence

from services.stock_worker.books import Sitting, Tx
from services.stock_worker.deps import Deps
from services.stock_worker.protocol.digest import digest, replaced_marker
from shared import logs
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import ProductId
from shared.writes import Write

log = logs.get(__name__)


def digest_event(sitting: Sitting, update: ProductUpdate, deps: Deps) -> bool:
    """Digest one event; whether it was of our own write. Earlier ones that never came are fetched first."""
    with sitting.transaction() as tx:
        tx.products.lock(update.product)
        write = _own(tx, update)
        if write is None:
            return False
        late = not write.digested and tx.writes.undigested_before(write)
        if not late:
            _digest(tx, write, update)
    if late:
        digest_log(sitting, update.product, deps, also=update)
    return True


def digest_log(
    sitting: Sitting, product: ProductId, deps: Deps, also: ProductUpdate | None = None
) -> Sequence[ProductUpdate]:
    """Read the product's event log and digest our own writes in rev order; the log, oldest first."""
    with sitting.transaction() as tx:
        since = tx.writes.log_since(product)
    updates = list(deps.stripe.product_updates(product, since))
    if also is not None and all(update.event != also.event for update in updates):
        updates.append(also)
    with sitting.transaction() as tx:
        tx.products.lock(product)
        own = [(write, update) for update in updates if (write := _own(tx, update))]
        for write, update in sorted(own, key=lambda pair: pair[0].rev):
            _digest(tx, write, update)
        tx.writes.mark_looked_up(product)
        tx.products.next_version(product)
    log.info("event_log_read", product=product, events=len(updates), own=len(own))
    return updates


def _own(tx: Tx, update: ProductUpdate) -> Write | None:
    """The write that caused the event; a fence carries the same key but changes nothing, so it makes none."""
    write = tx.writes.by_key(update.idempotency_key) if update.idempotency_key else None
    return write if write is not None and write.product == update.product else None


def _digest(tx: Tx, write: Write, update: ProductUpdate) -> None:
    if write.digested:
        return
    known = tx.writes.last_known(write.product, replaced_marker(update))
    found = digest(write, update, known)
    tx.movements.append(found.movements)
    tx.writes.append_known(write.product, found.marker, units=found.units)
    tx.writes.mark_landed(write, digested=True)
    tx.products.next_version(write.product)
    if found.movements:
        tx.products.mark_dirty([write.product])
        log.info("edit_restored", product=write.product, rev=write.rev, sizes=len(found.movements))
