"""The sync of one product: the driver that does the I/O around the protocol's decisions.

Each step is one transaction or one call to Stripe, never both; whatever dies in between leaves rows
from which any other worker goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.stock_worker import ending, event_log, observation, sending
from services.stock_worker.books import Sitting
from services.stock_worker.deps import Deps
from services.stock_worker.observation import Turn
from services.stock_worker.protocol.facts import observe
from services.stock_worker.protocol.history import AskTheLog, History
from shared import logs
from shared.messages import AlertOpened
from shared.outcomes import Done, Ignored, Outcome, RetryLater
from shared.vocabulary import ProductId
from shared.writes import Write

log = logs.get(__name__)

ROUNDS: Final = 12
"""Looks at Stripe within one sync before the product is left to its retry."""


def sync(product: ProductId, deps: Deps) -> Outcome:
    """Make Stripe's metadata of `product` and the ledger agree; at once where it can be done."""
    while True:
        with deps.books.sitting() as sitting:
            if not sitting.try_lock(product):
                # Whoever holds the lock looks at the dirty mark once more after letting it go.
                return Ignored("another worker is at it")
            try:
                outcome = _under_lock(sitting, product, deps)
            finally:
                sitting.unlock(product)
            if not isinstance(outcome, Done):
                return outcome
            with sitting.transaction() as tx:
                if not tx.products.is_dirty(product):
                    raised = tx.alerts.untold(product)
                    return Done(then=tuple(AlertOpened(alert=alert) for alert in raised))


@dataclass(frozen=True, slots=True)
class _Start:
    version: int
    dirty: bool
    pending: Write | None
    since_last_write: float | None


def _under_lock(sitting: Sitting, product: ProductId, deps: Deps) -> Outcome:
    history: History | None = None
    for _ in range(ROUNDS):
        start = _begin(sitting, product)
        outcome: Outcome | None = None
        if start.pending is not None:
            outcome = sending.settle(sitting, start.pending, deps)
        elif not start.dirty:
            return Done()
        else:
            turn = _look(sitting, product, start, history, deps=deps)
            if isinstance(turn, Write):
                outcome = sending.send(sitting, turn, deps, version=start.version + 1)
            elif isinstance(turn, AskTheLog):
                history = event_log.digest_log(sitting, product, deps, turn)
            elif turn is Turn.SETTLED:
                return Done()
        if outcome is not None:
            return outcome
    log.warning("sync_unfinished", product=product, rounds=ROUNDS)
    return RetryLater("the product changed at every look")


def _look(
    sitting: Sitting,
    product: ProductId,
    start: _Start,
    history: History | None,
    *,
    deps: Deps,
) -> Write | Turn | AskTheLog:
    if start.since_last_write is not None and start.since_last_write < deps.pace:
        deps.stop.wait(deps.pace - start.since_last_write)
    found = deps.stripe.product(product)
    if found is None or found.deleted:
        ending.close(sitting, product, deps)
        return Turn.SETTLED
    look = observation.Look(start.version, found, observe(found.metadata), history)
    return observation.take_in(sitting, look, deps)


def _begin(sitting: Sitting, product: ProductId) -> _Start:
    with sitting.transaction() as tx:
        row = tx.products.lock(product)
        if row is None:
            return _Start(0, dirty=True, pending=None, since_last_write=None)
        return _Start(
            row.version,
            row.dirty,
            tx.writes.pending(product),
            tx.writes.since_last(product),
        )
