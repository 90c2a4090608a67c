"""Expiring open Checkout Sessions that hold what is gone, so that the last unit is not sold twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from services.stock_worker import selling_rules
from services.stock_worker.selling_rules import Standing, Stock
from services.stock_worker.shopfront import Shopfront
from shared import clock, logs
from shared.selling import ExpiryState
from shared.stripe_api.answers import StripeRefused, WriteResult
from shared.stripe_api.objects import CheckoutSession
from shared.stripe_api.selling import EXPIRING
from shared.vocabulary import SessionId

LIFETIME: Final = timedelta(hours=24)
"""How long a session can be paid."""
MOST_PAGES: Final = 50
"""Pages of one look, the newest 5,000 sessions."""
UNSETTLED: Final = 50
"""Sessions of one look whose fate was left open before."""

log = logs.get(__name__)


def expire_sessions(front: Shopfront, stock: Stock) -> None:
    """Expire what can still be paid and holds something that is gone; raises Outage, StripeFailed, SurprisingAnswer."""
    unsettled = front.database.run(lambda c: front.expiries(c).unsettled(UNSETTLED))
    for session, why in unsettled:
        if selling_rules.standing(why, stock) is Standing.GONE:
            _expire(front, session)
        else:
            front.database.run(lambda c, s=session: front.expiries(c).forget(s))
    for number, page in enumerate(front.stripe.open_sessions(clock.now() - LIFETIME), 1):
        _expire_page(front, stock, page)
        if number == MOST_PAGES:
            log.warning("open_sessions_cut", pages=number)
            return


def _expire_page(front: Shopfront, stock: Stock, page: list[CheckoutSession]) -> None:
    known = front.known(page)
    decided = front.database.run(lambda c: front.expiries(c).decided([session.id for session in page]))
    for session in page:
        why = selling_rules.reason(selling_rules.takes(session, known), stock)
        if why is not None and session.id not in decided:  # lists may lag behind
            front.database.run(lambda c, s=session.id, w=why: front.expiries(c).plan(s, w))
            _expire(front, session.id)


def _expire(front: Shopfront, session: SessionId) -> None:
    """Expire it; where Stripe does not because it is not open, see what it is."""
    answer = front.stripe.expire(session)
    if answer.result is WriteResult.REFUSED:
        endpoint = "" if answer.detail.startswith("401") else EXPIRING
        raise StripeRefused(f"Stripe refuses to expire sessions ({answer.detail})", endpoint)
    if answer.result is WriteResult.APPLIED:
        state = ExpiryState.EXPIRED
    elif answer.result in {WriteResult.INVALID, WriteResult.GONE}:
        status = front.stripe.session_status(session)
        if status == "open":
            log.warning("session_not_expired", session=session, answer=answer.detail)
            return
        state = ExpiryState.EXPIRED if status == "expired" else ExpiryState.OVER
    else:
        log.warning("session_not_expired", session=session, answer=answer.detail)
        return
    front.database.run(lambda c: front.expiries(c).end(session, state))
    log.info("session_expired", session=session, state=state)
