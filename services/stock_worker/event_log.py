"""Digesting the `product.updated` events of our own writes, as they arrive or the whole log in order."""

from __future__ import annotations

from collections.abc import Sequence

from services.stock_worker.deps import Deps
from services.stock_worker.protocol.digest import digest, replaced_marker
from shared import logs
from shared.database.pool import Connection
from shared.store import movements, products, writes
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import ProductId
from shared.writes import Write

log = logs.get(__name__)


def digest_event(connection: Connection, update: ProductUpdate, deps: Deps) -> bool:
    """Digest one event; whether it was of our own write. Earlier ones that never came are fetched first."""
    with connection.transaction():
        products.lock(connection, deps.account, update.product)
        write = _own(connection, update)
        if write is None:
            return False
        late = not write.digested and writes.undigested_before(connection, write)
        if not late:
            _digest(connection, write, update)
    if late:
        digest_log(connection, update.product, deps, also=update)
    return True


def digest_log(
    connection: Connection, product: ProductId, deps: Deps, also: ProductUpdate | None = None
) -> Sequence[ProductUpdate]:
    """Read the product's event log and digest our own writes in rev order; the log, oldest first."""
    with connection.transaction():
        since = writes.log_since(connection, deps.account, product)
    updates = list(deps.stripe.product_updates(product, since))
    if also is not None and all(update.event != also.event for update in updates):
        updates.append(also)
    with connection.transaction():
        products.lock(connection, deps.account, product)
        own = [(write, update) for update in updates if (write := _own(connection, update))]
        for write, update in sorted(own, key=lambda pair: pair[0].rev):
            _digest(connection, write, update)
        writes.mark_looked_up(connection, deps.account, product)
        products.next_version(connection, deps.account, product)
    log.info("event_log_read", product=product, events=len(updates), own=len(own))
    return updates


def _own(connection: Connection, update: ProductUpdate) -> Write | None:
    """The write that caused the event; a fence carries the same key but changes nothing, so it makes none."""
    write = writes.by_key(connection, update.idempotency_key) if update.idempotency_key else None
    return write if write is not None and write.product == update.product else None


def _digest(connection: Connection, write: Write, update: ProductUpdate) -> None:
    if write.digested:
        return
    known = writes.last_known(connection, write.account, write.product, replaced_marker(update))
    found = digest(write, update, known)
    movements.append(connection, found.movements)
    writes.append_known(connection, write.account, write.product, found.marker, units=found.units)
    writes.mark_landed(connection, write, digested=True)
    products.next_version(connection, write.account, write.product)
    if found.movements:
        products.mark_dirty(connection, write.account, [write.product])
        log.info("edit_restored", product=write.product, rev=write.rev, sizes=len(found.movements))
