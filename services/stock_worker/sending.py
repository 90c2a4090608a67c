"""Sending a committed write to Stripe, and settling one whose fate is unknown."""

from __future__ import annotations

from services.stock_worker import alerting
from services.stock_worker.books import Sitting, Tx
from services.stock_worker.deps import Deps
from services.stock_worker.protocol import settle as settling
from services.stock_worker.protocol.facts import observe
from services.stock_worker.protocol.settle import Step
from shared import logs
from shared.outcomes import Outcome, RetryLater
from shared.stripe_api.answers import StripeRefused, WriteAnswer, WriteResult
from shared.writes import Write, WriteState

log = logs.get(__name__)


def send(sitting: Sitting, write: Write, deps: Deps) -> Outcome | None:
    """POST the write's exact body under its key; an outcome where the sync can't go on now."""
    answer = deps.stripe.write_metadata(write.product, write.body, write.key)
    return _record(sitting, write, deps, answer=answer, state=settling.after_sending(answer.result))


def settle(sitting: Sitting, write: Write, deps: Deps) -> Outcome | None:
    """See to it that the pending write has executed or never will; an outcome where that can't be had now."""
    found = deps.stripe.product(write.product)
    if found is None or found.deleted:
        _leave(sitting, write, WriteState.SETTLED, "the product is gone", deps=deps)
        return None
    step = settling.step(write, observe(found.metadata))
    log.info("write_settling", product=write.product, rev=write.rev, step=step)
    if step is Step.LANDED:
        _leave(sitting, write, WriteState.APPLIED, "its marker was seen", deps=deps)
        return None
    if step is Step.GIVE_UP:
        _leave(sitting, write, WriteState.SETTLED, "too old to be sent again", deps=deps)
        return None
    if step is Step.RESEND:
        return send(sitting, write, deps)
    answer = deps.stripe.write_metadata(write.product, {}, write.key)
    return _record(sitting, write, deps, answer=answer, state=settling.after_fencing(answer.result))


def _record(
    sitting: Sitting, write: Write, deps: Deps, *, answer: WriteAnswer, state: WriteState
) -> Outcome | None:
    if answer.result is WriteResult.REFUSED:
        raise StripeRefused(f"Stripe refuses to write products ({answer.detail})", answer.lacks)
    if state is WriteState.PENDING:
        log.warning("write_unanswered", product=write.product, rev=write.rev, answer=answer.detail)
        return RetryLater(f"Stripe's answer to a write: {answer.detail}")
    _leave(sitting, write, state, answer.detail, deps=deps)
    return None


def _leave(sitting: Sitting, write: Write, state: WriteState, answer: str, *, deps: Deps) -> None:
    """Note where the write went; clean is only who has nothing new in the ledger since it was planned."""
    with sitting.transaction() as tx:
        row = tx.products.lock(write.product)
        if row is None or not tx.writes.leave_pending(write, state, answer):
            return
        tx.products.next_version(write.product)
        if state is WriteState.APPLIED:
            tx.alerts.resolve_refused()
            if _agrees(tx, write):
                tx.products.mark_clean(write.product)
        if state is WriteState.REJECTED:
            reason = f"Stripe rejected the new numbers ({answer})"
            tx.products.set_state(write.product, "quarantined", reason=reason)
            tx.products.mark_clean(write.product)
            alerting.quarantined(tx, write.product, row.name, reason=reason, deps=deps)
    log.info("write_left", product=write.product, rev=write.rev, state=state, answer=answer)


def _agrees(tx: Tx, write: Write) -> bool:
    rows = tx.products.variants([write.product])
    managed = {row.size: row.on_hand for row in rows if row.state == "managed"}
    return managed == dict(write.target)
