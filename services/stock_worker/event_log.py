"""Digesting the `product.updated` events of our own writes, as they arrive or the whole log in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from services.stock_worker.books import Sitting, Tx
from services.stock_worker.deps import Deps
from services.stock_worker.known import known_under
from services.stock_worker.protocol.digest import FORGOTTEN, Replaced, digest, openings
from services.stock_worker.protocol.facts import SizeState
from services.stock_worker.protocol.history import (
    AskTheLog,
    Extent,
    History,
    Stood,
    marker_after,
    marker_before,
    markers,
    metadata_before,
    units_before,
)
from services.stock_worker.protocol.plan import written_by
from shared import logs, stock_metadata
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import ProductId
from shared.writes import Units, Write

log = logs.get(__name__)
EVER: Final = datetime(2011, 1, 1, tzinfo=UTC)  # before any event
SAME_TIME: Final = timedelta(seconds=5)
"""How far apart what a product and its event say of when it changed may be."""


def digest_event(sitting: Sitting, update: ProductUpdate, deps: Deps) -> bool:
    """Digest one event; whether it was of our own write. The whole log is read where this one can't tell all."""
    with sitting.transaction() as tx:
        tx.products.lock(update.product)
        write = _own(tx, update)
        if write is None:
            return False
        replaced = _replaced(tx, write, update)
        unclear = not write.digested and (replaced is None or tx.own_events.undigested_before(write))
        if replaced is not None and not unclear:
            _digest(tx, write, update, replaced, restore=deps.restore_edits)
    if unclear:
        asked = AskTheLog(Extent.TAIL, update.created)
        digest_log(sitting, update.product, deps, asked, also=update)
    return True


def digest_log(
    sitting: Sitting, product: ProductId, deps: Deps, asked: AskTheLog, *, also: ProductUpdate | None = None
) -> History:
    """Read the product's event log as far as `asked`, and digest our own writes.

    Where the tail does not tell what they replaced, more of the log is read.
    """
    with sitting.transaction() as tx:
        row = tx.products.lock(product)
        restored = row is not None and row.recover
        since, extent = _since(tx, product, asked, restored=restored)
    updates = list(deps.stripe.product_updates(product, since))
    if also is not None and all(update.event != also.event for update in updates):
        updates.append(also)
    history = _digest_updates(sitting, product, updates, deps, extent=extent, restored=restored)
    return history or digest_log(sitting, product, deps, AskTheLog(Extent.RECENT), also=also)


def _since(tx: Tx, product: ProductId, asked: AskTheLog, *, restored: bool) -> tuple[datetime, Extent]:
    """From when on the log is read, and how far back that is: the tail's beginning is not always known."""
    if asked.extent is Extent.WHOLE:
        return EVER, Extent.WHOLE
    if asked.extent is Extent.TAIL and not restored:
        tail = tx.own_events.tail(product)
        last = None if asked.changed is None else asked.changed - SAME_TIME
        if last is not None and not tail.owed:
            return last, Extent.TAIL
        if tail.since is not None:
            return min(tail.since, last or tail.since), Extent.TAIL
    return tx.own_events.log_since(product, restored=restored), Extent.RECENT


def _digest_updates(
    sitting: Sitting,
    product: ProductId,
    updates: Sequence[ProductUpdate],
    deps: Deps,
    *,
    extent: Extent,
    restored: bool,
) -> History | None:
    """Digest our own writes among the product's events; None, and nothing done, where a tail tells too little."""
    with sitting.transaction() as tx:
        tx.writes.hold_installation(deps.installation)
        tx.products.lock(product)
        if restored:
            _reconstruct(tx, product, updates, deps)
        ours = frozenset(m for m in markers(updates) if _is_ours(tx, m, product))
        history = History(updates, ours, extent)
        own = [
            (write, update, number)
            for number, update in enumerate(updates)
            if (write := _own(tx, update)) is not None
        ]
        if extent is Extent.TAIL and any(
            not write.digested and _replaced(tx, write, update) is None for write, update, _ in own
        ):
            return None
        for write, update, number in sorted(own, key=lambda one: one[0].rev):
            replaced = _replaced(tx, write, update) or _replaced_by(history, number, write)
            _digest(tx, write, update, replaced, restore=deps.restore_edits)
        tx.own_events.mark_looked_up(product)
        tx.products.set_recover(product, recover=False)
        tx.products.next_version(product)
    log.info("event_log_read", product=product, extent=extent.name, events=len(updates), own=len(own))
    return history


def _reconstruct(tx: Tx, product: ProductId, updates: Sequence[ProductUpdate], deps: Deps) -> None:
    """Keep the writes of former lives that the log knows and this database does not."""
    for update in updates:
        made = written_by(update.idempotency_key, product)
        if made is None or made[0] not in deps.former or _own(tx, update) is not None:
            continue
        write = Write(
            account=deps.account,
            product=product,
            rev=made[1],
            installation=made[0],
            key=update.idempotency_key or "",
            body={},
            marker=marker_after(update),
            target=stock_metadata.numbers(update.metadata),
            base_marker=FORGOTTEN,
            base_values={},
        )
        tx.products.save_sizes(product, dict.fromkeys(write.target, SizeState.MANAGED.value), opened=())
        tx.writes.reconstruct(write)
        log.info("write_reconstructed", product=product, rev=write.rev)


def _own(tx: Tx, update: ProductUpdate) -> Write | None:
    """The write that caused the event; a fence carries the same key but changes nothing, so it makes none."""
    write = tx.writes.by_key(update.idempotency_key) if update.idempotency_key else None
    return write if write is not None and write.product == update.product else None


def _replaced(tx: Tx, write: Write, update: ProductUpdate) -> Replaced | None:
    """What the write replaced; None where somebody had spoiled marker or numbers, and only the log can tell."""
    marker, units = marker_before(update), units_before(update)
    if marker != write.base_marker and not _is_ours(tx, marker, write.product):
        return None
    return Replaced(marker, units) if write.target.keys() <= units.keys() else None


def _replaced_by(history: History, number: int, write: Write) -> Replaced:
    """The same from the log: what stood there before it was spoiled."""
    update = history.updates[number]
    marker, units = marker_before(update), units_before(update)
    if write.base_marker == FORGOTTEN:
        units = stock_metadata.numbers(metadata_before(update))
    base: Units | None = None
    spoiled = {size: history.last_units(size, number) for size in write.target if size not in units}
    if marker != write.base_marker and marker not in history.ours:
        planned_on = history.last_of_ours(number) if write.base_marker == FORGOTTEN else write.base_marker
        stood = history.standing(number) or Stood(planned_on)
        marker, base = stood.marker, stood.units
    return Replaced(marker, {**units, **{size: n for size, n in spoiled.items() if n is not None}}, base)


def _is_ours(tx: Tx, marker: str, product: ProductId) -> bool:
    write = tx.writes.by_marker(marker) if marker else None
    return write is not None and write.product == product


def _digest(tx: Tx, write: Write, update: ProductUpdate, replaced: Replaced, *, restore: bool) -> None:
    if write.digested:
        return
    opened = {row.size for row in tx.products.variants([write.product]) if row.opened}
    first = openings(write, replaced, opened)
    if first:
        states = {m.size: SizeState.MANAGED.value for m in first}
        tx.products.save_sizes(write.product, states, opened=states)
        tx.movements.append(first)
    known = replaced.base
    if known is None:
        known = known_under(tx, write.product, replaced.marker, replaced.units).units
    if known is not None:  # a size that was never adopted is not edited: it will open with all that it shows
        known = {size: units for size, units in known.items() if size in opened}
    seen = tx.writes.last_known(write.product, write.marker) or ()
    found = digest(write, update.event, replaced, known, seen=seen, restore=restore)
    tx.movements.append(found.movements)
    tx.writes.append_known(write.product, found.marker, units=found.units)
    if write.base_marker == FORGOTTEN:
        kept = known_under(tx, write.product, replaced.marker, opened).units or {}
        tx.writes.append_known(write.product, write.marker, units={**kept, **found.units, **write.target})
    tx.own_events.mark_digested(write, update.created)
    tx.products.next_version(write.product)
    if found.movements:
        tx.products.mark_dirty([write.product])
        log.info("edit_restored", product=write.product, rev=write.rev, sizes=len(found.movements))
