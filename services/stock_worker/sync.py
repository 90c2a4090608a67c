"""The sync of one product: the driver that does the I/O around the protocol's decisions.

Each step is one transaction or one call to Stripe, never both; whatever dies in between leaves rows
from which any other worker goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.stock_worker import event_log, observation, sending
from services.stock_worker.deps import Deps
from services.stock_worker.observation import Turn
from services.stock_worker.protocol.facts import observe
from shared import logs
from shared.database.pool import Connection
from shared.messages import AlertOpened
from shared.outcomes import Done, Ignored, Outcome, RetryLater
from shared.store import alerts, locks, products, writes
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import ProductId
from shared.writes import Write

log = logs.get(__name__)

ROUNDS: Final = 12
"""Looks at Stripe within one sync before the product is left to its retry."""

PACE: Final = 1.0
"""Seconds between two writes of one product: sales that meet in between share one."""


def sync(product: ProductId, deps: Deps) -> Outcome:
    """Make Stripe's metadata of `product` and the ledger agree; at once where it can be done."""
    while True:
        with deps.database.session() as connection:
            if not locks.try_lock(connection, deps.account, product):
                # Whoever holds the lock looks at the dirty mark once more after letting it go.
                return Ignored("another worker is at it")
            try:
                outcome = _under_lock(connection, product, deps)
            finally:
                locks.unlock(connection, deps.account, product)
            if not isinstance(outcome, Done):
                return outcome
            if not products.is_dirty(connection, deps.account, product):
                raised = alerts.untold(connection, deps.account, product)
                return Done(then=tuple(AlertOpened(alert=alert) for alert in raised))


@dataclass(frozen=True, slots=True)
class _Start:
    version: int
    dirty: bool
    pending: Write | None
    since_last_write: float | None


def _under_lock(connection: Connection, product: ProductId, deps: Deps) -> Outcome:
    event_updates: Sequence[ProductUpdate] | None = None
    for _ in range(ROUNDS):
        start = _begin(connection, product, deps)
        outcome: Outcome | None = None
        if start.pending is not None:
            outcome = sending.settle(connection, start.pending, deps)
        elif not start.dirty:
            return Done()
        else:
            turn = _look(connection, product, start, event_updates, deps=deps)
            if turn is Turn.ASK_THE_LOG:
                event_updates = event_log.digest_log(connection, product, deps)
            elif isinstance(turn, Write):
                outcome = sending.send(connection, turn, deps)
            elif turn is Turn.SETTLED:
                return Done()
        if outcome is not None:
            return outcome
    log.warning("sync_unfinished", product=product, rounds=ROUNDS)
    return RetryLater("the product changed at every look")


def _look(
    connection: Connection,
    product: ProductId,
    start: _Start,
    event_updates: Sequence[ProductUpdate] | None,
    *,
    deps: Deps,
) -> Write | Turn:
    if start.since_last_write is not None and start.since_last_write < PACE:
        deps.stop.wait(PACE - start.since_last_write)
    found = deps.stripe.product(product)
    if found is None or found.deleted:
        observation.close(connection, product, deps)
        return Turn.SETTLED
    look = observation.Look(start.version, found, observe(found.metadata), event_updates)
    return observation.take_in(connection, look, deps)


def _begin(connection: Connection, product: ProductId, deps: Deps) -> _Start:
    with connection.transaction():
        row = products.lock(connection, deps.account, product)
        if row is None:
            return _Start(0, dirty=True, pending=None, since_last_write=None)
        return _Start(
            row.version,
            row.dirty,
            writes.pending(connection, deps.account, product),
            writes.since_last(connection, deps.account, product),
        )
