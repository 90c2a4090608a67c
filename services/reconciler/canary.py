"""The job `canary`: disturb what is known of one product on purpose, and see that a verification would notice.

The disturbance is undone in the transaction that makes it: a sync that saw it would book an edit that nobody made.
"""

from __future__ import annotations

from datetime import datetime

from services.reconciler.comparison import Suspicion, listed, suspicion
from services.reconciler.jobs import Figures, JobFailed, Tools
from shared import clock
from shared.store.jobs import JobRun
from shared.store.verifications import Verifications
from shared.verification import Listed
from shared.vocabulary import ProductId


class _TakenBack(Exception):
    """The disturbance is over; nobody else has seen it."""


def sing(started: JobRun, tools: Tools) -> Figures:
    """Fail where the disturbed product passes for sound; raises JobFailed, StripeFailed, an Outage."""
    if tools.canary is None:
        raise JobFailed("CANARY_PRODUCT names no product")
    since = started.started_at or clock.now()
    shown = _shown(tools, tools.canary)
    before = _compared(tools, shown, since, disturbed=False)
    if before is not None:
        raise JobFailed(f"{shown.product} can't be the canary now: it is suspected as it is ({before})")
    found = _compared(tools, shown, since, disturbed=True)
    if found is not Suspicion.DIFFERENT:
        raise JobFailed(
            f"{shown.product} was disturbed, and the comparison did not notice: verifications are blind"
        )
    return {"product": shown.product, "noticed": found}


def _shown(tools: Tools, product: ProductId) -> Listed:
    found = tools.stripe.product(product)
    if found is None or found.deleted:
        raise JobFailed(f"Stripe has no product {product}: CANARY_PRODUCT must name one that keeps stock")
    return listed(found)


def _compared(tools: Tools, shown: Listed, since: datetime, *, disturbed: bool) -> Suspicion | None:
    """What a pass would make of the product, its known state spoiled for as long as this takes or not."""
    found: Suspicion | None = None
    try:
        with tools.database.transaction() as connection:
            books = Verifications(connection, tools.account)
            if disturbed:
                books.disturb(shown)
            found = suspicion(shown, books.known([shown], since)[shown.product])
            raise _TakenBack  # noqa: TRY301 - it has to leave the transaction
    except _TakenBack:
        return found
