"""Refunds: what came back is proposed to a person, who knows; a refund never changes stock by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from services.stock_worker.returns import Likeness, Policy, Proposal, SoldLine, propose
from shared import clock, logs, money
from shared.alerts import NewAlert
from shared.database.pool import Connection, Database
from shared.messages import AlertOpened, Message, RefundChanged, SyncRequested
from shared.outcomes import Done, Ignored, Outcome, Reject, RetryLater
from shared.store import returns
from shared.store.alerts import Alerts
from shared.store.refunds import BookedLine, Refund, Refunds
from shared.store.sales import Handled, Sales
from shared.stripe_api import objects
from shared.stripe_api.answers import StripeFailed
from shared.stripe_api.objects import CheckoutSession, SurprisingAnswer
from shared.vocabulary import AccountKey, AlertKind, RefundId

BY_ITSELF: Final = "stocksync"
log = logs.get(__name__)


class Stripe(Protocol):
    """What is asked of Stripe; raises an Outage, StripeFailed, SurprisingAnswer."""

    def refund(self, refund: RefundId) -> objects.Refund | None:
        """The refund by id; None where there is none."""
        ...

    def refunds_of(self, payment_intent: str) -> list[objects.Refund]:
        """Every refund of a payment."""
        ...

    def session_of_payment(self, payment_intent: str) -> CheckoutSession | None:
        """The session that was paid so; None where the payment came another way."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What refunds are handled with."""

    account: AccountKey
    database: Database
    stripe: Stripe
    policy: Policy


@dataclass(frozen=True, slots=True)
class _Paid:
    """A refund with the session it belongs to, and what went back of that in all."""

    refund: objects.Refund
    session: CheckoutSession
    refunded: int


def on_refund(message: Message, desk: Desk) -> Outcome:
    """Propose what a RefundChanged may have brought back, or void the proposal of one that failed."""
    if not isinstance(message, RefundChanged):
        return Reject(f"{message.type} does not belong in this queue")
    if message.account != desk.account:
        return Reject(f"the message is for {message.account}, this worker keeps {desk.account}")
    if desk.policy is Policy.OFF:
        return Ignored("REFUND_RESTOCK is off")
    try:
        outcome = _handled(message, desk)
    except (StripeFailed, SurprisingAnswer) as error:
        return RetryLater(str(error))
    if not isinstance(outcome, RetryLater):
        word = type(outcome).__name__.lower()
        came = Handled(message.account, message.event, "refund", word, message.at)
        desk.database.run(lambda c: Sales(c, desk.account).log_deliveries([came]))
    return outcome


def _handled(message: RefundChanged, desk: Desk) -> Outcome:
    read = _read(message.refund, desk)
    return (
        desk.database.run(lambda connection: _keep(connection, read, desk))
        if isinstance(read, _Paid)
        else read
    )


def _read(refund: RefundId, desk: Desk) -> _Paid | Outcome:
    """The refund as Stripe has it now, or why nothing follows from it."""
    found = desk.stripe.refund(refund)
    if found is None:
        return RetryLater("Stripe does not know the refund")
    if not found.gone:
        desk.database.run(
            lambda c: returns.void(c, desk.account, refund, reason=f"Stripe says {found.status}")
        )
        return Ignored(f"the money did not go back ({found.status})")
    if found.payment_intent is None:
        return Ignored("not of a Checkout Session")
    session = desk.stripe.session_of_payment(found.payment_intent)
    if session is None:
        return Ignored("not of a Checkout Session")
    refunded = sum(one.amount for one in desk.stripe.refunds_of(found.payment_intent) if one.gone)
    return _Paid(found, session, refunded)


def _keep(connection: Connection, paid: _Paid, desk: Desk) -> Outcome:
    refunds = Refunds(connection, desk.account)
    if not refunds.lock_session(paid.session.id):
        return RetryLater("the sale is not booked yet")
    booked = refunds.booked(paid.session.id)
    if not booked:
        return Ignored("nothing of the session was taken off the stock")
    made = propose(
        _sold(booked, paid.session),
        amount=paid.refund.amount,
        refunded=paid.refunded,
        paid=paid.session.amount_total or 0,
    )
    new = refunds.propose(_row(paid, made), booked, made.units)
    if not new:
        return Ignored("proposed before")
    log.info(
        "refund_proposed",
        refund=paid.refund.id,
        session=paid.session.id,
        kind=made.kind,
        units=sum(made.units),
    )
    if desk.policy is Policy.AUTO_FULL and made.likeness is Likeness.ALL:
        return _put_back(connection, paid, desk)
    raised = Alerts(connection, desk.account).raise_([_alert(paid, made, booked, account=desk.account)])
    return Done(then=tuple(AlertOpened(alert=alert) for alert in raised))


def _put_back(connection: Connection, paid: _Paid, desk: Desk) -> Outcome:
    reason = "a full refund, and REFUND_RESTOCK is auto-full"
    try:
        products = returns.accept(connection, desk.account, paid.refund.id, None, by=BY_ITSELF, reason=reason)
    except returns.NotReturnable as refused:
        return Reject(str(refused))
    return Done(then=tuple(SyncRequested(account=desk.account, product=product) for product in products))


def _sold(booked: Sequence[BookedLine], session: CheckoutSession) -> list[SoldLine]:
    amounts = {line.id: line.amount_total for line in session.lines}
    return [
        SoldLine(b.line, b.product, b.size, b.units, max(0, b.units - b.returned), amounts.get(b.line))
        for b in booked
    ]


def _row(paid: _Paid, made: Proposal) -> Refund:
    refund = paid.refund
    return Refund(
        refund.id,
        paid.session.id,
        made.kind.value,
        made.likeness.value,
        refund.amount,
        refund.currency,
        "open",
        clock.now(),
    )


def _alert(paid: _Paid, made: Proposal, booked: Sequence[BookedLine], *, account: AccountKey) -> NewAlert:
    refund = paid.refund
    units = sum(made.units)
    guess = {
        Likeness.ALL: "everything was paid back",
        Likeness.EXACT: f"the amount is that of {units} of {sum(b.units for b in booked)} units",
        Likeness.LIKELY: f"the amount may be that of {units} of {sum(b.units for b in booked)} units",
        Likeness.UNKNOWN: "the amount is that of no units",
    }[made.likeness]
    facts = {
        "session": paid.session.id,
        "reason": f"{money.readable(refund.amount, refund.currency)} went back: {guess}",
        "command": f"stocksync refunds accept {refund.id}",
    }
    return NewAlert(account, AlertKind.REFUND_PROPOSED, refund.id, facts)
