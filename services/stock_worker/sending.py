"""Sending a committed write to Stripe, and settling one whose fate is unknown."""

from __future__ import annotations

from services.stock_worker import alerting
from services.stock_worker.books import Sitting, Tx
from services.stock_worker.deps import Deps
from services.stock_worker.protocol import settle as settling
from services.stock_worker.protocol.facts import observe
from services.stock_worker.protocol.settle import Step
from shared import logs
from shared.alerts import AlertKey
from shared.outcomes import Outcome, RetryLater
from shared.stripe_api.answers import StripeRefused, WriteAnswer, WriteResult
from shared.vocabulary import AlertKind
from shared.writes import Write, WriteState

log = logs.get(__name__)


def send(sitting: Sitting, write: Write, deps: Deps, *, version: int | None = None) -> Outcome | None:
    """POST the write's exact body under its key; an outcome where the sync can't go on now.

    Where it was planned just now, as `version` of the product, its answer may be the end of the matter.
    """
    answer = deps.stripe.write_metadata(write.product, write.body, write.key)
    final = version if _shows(answer, write) else None
    return _record(
        sitting, write, deps, answer=answer, state=settling.after_sending(answer.result), final=final
    )


def _shows(answer: WriteAnswer, write: Write) -> bool:
    """Whether the product then had what the write sent, and no other number."""
    seen = observe(answer.metadata or {})
    return seen.marker == write.marker and dict(seen.sheet.units) == dict(write.target)


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
    sitting: Sitting,
    write: Write,
    deps: Deps,
    *,
    answer: WriteAnswer,
    state: WriteState,
    final: int | None = None,
) -> Outcome | None:
    if answer.result is WriteResult.REFUSED:
        raise StripeRefused(f"Stripe refuses to write products ({answer.detail})", answer.lacks)
    if state is WriteState.PENDING:
        log.warning("write_unanswered", product=write.product, rev=write.rev, answer=answer.detail)
        return RetryLater(f"Stripe's answer to a write: {answer.detail}")
    _leave(sitting, write, state, answer.detail, deps=deps, final=final)
    return None


def _leave(
    sitting: Sitting, write: Write, state: WriteState, answer: str, *, deps: Deps, final: int | None = None
) -> None:
    """Note where the write went; clean is only a product whose `final` version has nothing new in the ledger.

    In every other case somebody may have edited it since the write landed: it is looked at once more.
    """
    with sitting.transaction() as tx:
        row = tx.products.lock(write.product)
        if row is None or not tx.writes.leave_pending(write, state, answer):
            return
        tx.products.next_version(write.product)
        if state is WriteState.APPLIED:
            tx.alerts.resolve_refused()
            tx.alerts.resolve([AlertKey(AlertKind.QUARANTINE, write.product)])
            if row.version == final and _agrees(tx, write):
                tx.products.mark_clean(write.product)
        if state is WriteState.REJECTED:
            reason = f"Stripe rejected the new numbers ({answer})"
            tx.products.set_state(write.product, "quarantined", reason=reason)
            tx.products.mark_clean(write.product)
            alerting.rejected(tx, write.product, row.name, reason=reason, deps=deps)
    log.info("write_left", product=write.product, rev=write.rev, state=state, answer=answer)


def _agrees(tx: Tx, write: Write) -> bool:
    rows = tx.products.variants([write.product])
    managed = {row.size: row.on_hand for row in rows if row.state == "managed"}
    return managed == dict(write.target)
