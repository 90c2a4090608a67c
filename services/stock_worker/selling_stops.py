"""Taking off sale what is gone and putting it back; recorded before each call and after it, so any worker goes on."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from services.stock_worker import selling_rules
from services.stock_worker.selling_rules import Offered, Standing, Step, Stock
from services.stock_worker.shopfront import Mode, Shopfront
from shared import clock, logs
from shared.selling import Stop, StopState
from shared.stripe_api.answers import StripeFailed, StripeRefused, WriteAnswer, WriteResult
from shared.stripe_api.objects import SurprisingAnswer
from shared.stripe_api.selling import changing

EVENT_LATE: Final = timedelta(minutes=2)
"""How long the event of a call of ours may take to show in Stripe's log."""
SPENT: Final = (WriteResult.STORED_ERROR, WriteResult.INVALID, WriteResult.KEY_MISMATCH)
"""Answers after which the call is over, and its key of no more use."""

log = logs.get(__name__)


def stop_selling(front: Shopfront, mode: Mode, stock: Stock) -> None:
    """Stop whatever is on sale and gone; what was stopped before and is on sale again is its owner's will.

    One that fails keeps none of the others; raises Outage, StripeFailed, SurprisingAnswer.
    """
    before = {stop.object: stop for stop in front.database.run(lambda c: front.stops(c).open())}
    failed: StripeFailed | SurprisingAnswer | None = None
    for shown in front.active(mode, stock):
        try:
            _meet(front, shown, before.get(shown.object), stock)
        except (StripeFailed, SurprisingAnswer) as error:
            failed = error
    if failed is not None:
        raise failed


def carry_on(front: Shopfront, stock: Stock, opened: Sequence[Stop]) -> None:
    """Do for each open stop what it asks for now; one that can't be had waits, the others go on.

    Raises StripeRefused after all of them, and any other Outage at once.
    """
    refused: StripeRefused | None = None
    for stop in opened:
        work = _STEPS.get(selling_rules.step(stop, stock))
        if work is None:
            continue
        try:
            work(front, stop, stock)
        except (StripeFailed, SurprisingAnswer, StripeRefused) as error:
            _postpone(front, stop, str(error), spent=False)
            refused = error if isinstance(error, StripeRefused) else refused
    if refused is not None:
        raise refused


def _meet(front: Shopfront, shown: Offered, stop: Stop | None, stock: Stock) -> None:
    """See to something that a list shows as on sale."""
    if stop is None and selling_rules.reason(shown.takes, stock):
        _begin(front, shown, stock)
    elif stop is not None and stop.state is StopState.STOPPED:
        now = front.offered(stop.offer, stop.object)
        if now is not None and now.active:
            _leave(front, stop, stock, now)


def _begin(front: Shopfront, listed: Offered, stock: Stock) -> None:
    """Plan a stop, and make it, where the object is still on sale and gone."""
    shown = front.offered(listed.offer, listed.object)
    why = selling_rules.reason(shown.takes, stock) if shown and shown.active else None
    if shown is None or why is None:
        return
    key = f"selling-{secrets.token_hex(12)}"
    stop = front.database.run(lambda c: front.stops(c).plan(shown.offer, shown.object, why, key))
    if stop is not None:
        log.info("selling_stop_planned", offer=stop.offer, object=stop.object, gone=str(why))
        _call(front, stop, stock, active=False)


def _finish_stop(front: Shopfront, stop: Stop, stock: Stock) -> None:
    """See to a stop whose call nobody knows the fate of."""
    shown = front.offered(stop.offer, stop.object)
    if shown is None:
        _forget(front, stop)
    elif shown.active:
        _call(front, stop, stock, active=False)
    elif _was_ours(front, stop):
        _move(front, stop, StopState.STOPPED, "")
    elif clock.now() - stop.planned_at < EVENT_LATE:
        _postpone(front, stop, "who took it off sale is not known yet", spent=False)
    else:
        _move(front, stop, StopState.LEFT, "somebody else took it off sale", over=True)


def _was_ours(front: Shopfront, stop: Stop) -> bool:
    since = stop.planned_at - EVENT_LATE  # the clocks need not agree
    keys = front.stripe.keys_since(stop.offer, stop.object, since)
    own = selling_rules.prefix(stop, active=False)
    return any(key.startswith(own) for key in keys)


def _finish_resume(front: Shopfront, stop: Stop, stock: Stock) -> None:
    """Put it back; where that was done already, or somebody undid it since, the call changes nothing."""
    shown = front.offered(stop.offer, stop.object)
    if shown is None:
        _forget(front, stop)
    elif shown.active:
        _resumed(front, stop, stock)
    else:
        _call(front, stop, stock, active=True)


def _resume_by_hand(front: Shopfront, stop: Stop, stock: Stock) -> None:
    _resume(front, stop, stock, front.offered(stop.offer, stop.object))


def _review(front: Shopfront, stop: Stop, stock: Stock) -> None:
    """What was gone is there: put the object back, unless something else that it offers is gone."""
    shown = front.offered(stop.offer, stop.object)
    why = selling_rules.reason(shown.takes, stock) if shown else None
    if why is not None:
        front.database.run(lambda c: front.stops(c).blame(stop, why))
    elif stop.state is StopState.STOPPED or shown is None:
        _resume(front, stop, stock, shown)
    else:
        front.database.run(lambda c: front.stops(c).end(stop))


def _resume(front: Shopfront, stop: Stop, stock: Stock, shown: Offered | None) -> None:
    if shown is None:
        _forget(front, stop)
    elif shown.active:
        _leave(front, stop, stock, shown)
    else:
        _move(front, stop, StopState.RESUMING, stop.why)
        _call(front, stop, stock, active=True)


def _leave(front: Shopfront, stop: Stop, stock: Stock, shown: Offered) -> None:
    """Somebody put it back on sale: that stands until everything in it was there once."""
    over = selling_rules.reason(shown.takes, stock) is None
    _move(front, stop, StopState.LEFT, "somebody put it back on sale", over=over)


def _call(front: Shopfront, stop: Stop, stock: Stock, *, active: bool) -> None:
    key = selling_rules.key(stop, active=active)
    answer = front.stripe.set_active(stop.offer, stop.object, active=active, key=key)
    if answer.result is WriteResult.REFUSED:
        raise _refused(stop, answer)
    if answer.result is WriteResult.GONE:
        _forget(front, stop)
    elif answer.result is not WriteResult.APPLIED:
        _postpone(front, stop, answer.detail, spent=answer.result in SPENT)
    elif active:
        _resumed(front, stop, stock)
    else:
        _move(front, stop, StopState.STOPPED, "")


def _resumed(front: Shopfront, stop: Stop, stock: Stock) -> None:
    """One that a person wanted back is not stopped anew before it was in stock once."""
    why = f"{stop.wanted_by} wanted it" if stop.wanted_by else "it is in stock again"
    over = not stop.wanted_by or selling_rules.standing(stop.reason, stock) is Standing.THERE
    _move(front, stop, StopState.RESUMED, why, over=over)


def _forget(front: Shopfront, stop: Stop) -> None:
    _move(front, stop, StopState.FORGOTTEN, "it was deleted in Stripe", over=True)


def _move(front: Shopfront, stop: Stop, state: StopState, why: str, *, over: bool = False) -> None:
    front.database.run(lambda c: front.stops(c).move(stop, state, why, over=over))
    log.info("selling_stop_moved", offer=stop.offer, object=stop.object, gone=str(stop.reason), state=state)


def _postpone(front: Shopfront, stop: Stop, reason: str, *, spent: bool) -> None:
    log.warning("selling_stop_postponed", offer=stop.offer, object=stop.object, reason=reason)
    front.database.run(lambda c: front.stops(c).postpone(stop, reason, spent=spent))


def _refused(stop: Stop, answer: WriteAnswer) -> StripeRefused:
    endpoint = "" if answer.detail.startswith("401") else changing(stop.offer)
    return StripeRefused(f"Stripe refuses to take things off sale ({answer.detail})", endpoint)


_STEPS: Final[Mapping[Step, Callable[[Shopfront, Stop, Stock], None]]] = {
    Step.FINISH_STOP: _finish_stop,
    Step.FINISH_RESUME: _finish_resume,
    Step.RESUME_BY_HAND: _resume_by_hand,
    Step.REVIEW: _review,
}
