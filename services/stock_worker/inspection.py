"""A look at one product that changes nothing: what SYNC's read step sees just now, for whoever verifies."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from services.stock_worker.books import Sitting, Tx
from services.stock_worker.deps import Deps
from services.stock_worker.observation import Look as Sight
from services.stock_worker.observation import base_of, facts_of
from services.stock_worker.protocol.facts import observe
from services.stock_worker.protocol.judge import Believe, judge
from services.stock_worker.protocol.look import Ledger, describe
from services.stock_worker.protocol.plan import plan
from shared.stripe_api.objects import Product
from shared.verification import Look, Shown
from shared.vocabulary import ProductId

TRIES: Final = 3
"""Looks at a product that changes meanwhile, before it counts as busy."""


class _TakenBack(Exception):
    """The transaction was only for reading."""


def inspect(product: ProductId, deps: Deps) -> Look:
    """What a sync of `product` would see, and do, if it came now; BUSY where another worker is at it."""
    with deps.books.sitting() as sitting:
        if not sitting.try_lock(product):
            return Look(Shown.BUSY)
        try:
            return _under_lock(sitting, product, deps)
        finally:
            sitting.unlock(product)


def _under_lock(sitting: Sitting, product: ProductId, deps: Deps) -> Look:
    for _ in range(TRIES):
        with sitting.transaction() as tx:
            row = tx.products.lock(product)
            version, state, dirty = (row.version, row.state, row.dirty) if row else (0, "", False)
        found = deps.stripe.product(product)
        if found is None or found.deleted:
            return Look(Shown.GONE, state, waiting=dirty)
        seen = _judged(sitting, version, found, deps)
        if seen is not None:
            return seen
    return Look(Shown.BUSY)


def _judged(sitting: Sitting, version: int, found: Product, deps: Deps) -> Look | None:
    """What the sync would make of `found`; None where something happened since `version`."""
    sight = Sight(version, found, observe(found.metadata), None)
    with _taken_back(sitting) as tx:
        tx.writes.hold_installation(deps.installation)
        row = tx.products.lock(found.id)
        if (row.version if row else 0) != version:
            return None
        pending = tx.writes.pending(found.id) is not None
        facts = facts_of(tx, sight, deps, unread=row is not None and row.recover)
        judgement = judge(facts, sight.seen.marker, None)
        made = None
        if isinstance(judgement, Believe):
            made = plan(facts, sight.seen, base_of(tx, sight, judgement))
        ledger = Ledger(
            state=row.state if row else "",
            waiting=pending or facts.unexplained or (row is not None and (row.dirty or row.take_over)),
        )
        return describe(found, sight.seen, facts, made, ledger=ledger)


@contextmanager
def _taken_back(sitting: Sitting) -> Generator[Tx]:
    """A transaction of which nothing stays: what it reads on the way may not even note that a write landed."""
    try:
        with sitting.transaction() as tx:
            yield tx
            raise _TakenBack  # noqa: TRY301 - it has to leave the transaction
    except _TakenBack:
        return
