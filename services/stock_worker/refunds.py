"""Refunds and disputes: what came back is proposed to a person, who knows; neither changes stock by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.stock_worker import alerting, return_alerts
from services.stock_worker.return_alerts import AskedLine
from services.stock_worker.returns import Policy, Proposal, SoldLine, propose
from shared import clock, logs
from shared.database.pool import Connection, Database
from shared.messages import AlertOpened, Message, RefundChanged, SyncRequested
from shared.outcomes import Done, Ignored, Outcome, Reject, RetryLater
from shared.store import returns
from shared.store.alerts import Alerts
from shared.store.recoveries import Recoveries
from shared.store.refunds import BookedLine, Refund, Refunds
from shared.store.sales import Handled, Sales
from shared.store.unplaced import UnplacedSales
from shared.stripe_api import money_back
from shared.stripe_api.answers import StripeFailed, StripeRefused
from shared.stripe_api.money_back import MoneyBack
from shared.stripe_api.objects import CheckoutSession, SurprisingAnswer
from shared.vocabulary import AccountKey, LineItemId, ProductId, RefundId, is_dispute

log = logs.get(__name__)


class Stripe(Protocol):
    """What is asked of Stripe; raises an Outage, StripeFailed, SurprisingAnswer."""

    def refund(self, refund: RefundId) -> money_back.Refund | None:
        """The refund by id; None where there is none."""
        ...

    def refunds_of(self, payment_intent: str) -> list[money_back.Refund]:
        """Every refund of a payment."""
        ...

    def dispute(self, dispute: RefundId) -> money_back.Dispute | None:
        """The dispute by id; None where there is none."""
        ...

    def disputes_of(self, payment_intent: str) -> list[money_back.Dispute]:
        """Every dispute of a payment."""
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
    """Money that went back, the session it was paid for, what the shop `refunded` of that, what banks `disputed`."""

    back: MoneyBack
    session: CheckoutSession
    refunded: int
    disputed: int

    @property
    def paid(self) -> int:
        """What the session cost."""
        return self.session.amount_total or 0

    @property
    def gone(self) -> int:
        """What went back in all: never more than was paid, where a refund and a dispute crossed."""
        return min(self.paid, self.refunded + self.disputed)

    @property
    def given_back(self) -> bool:
        """Whether it is a refund, and the shop gave everything back by itself."""
        return not is_dispute(self.back.id) and self.refunded >= self.paid


def on_refund(message: Message, desk: Desk) -> Outcome:
    """Propose what a RefundChanged may have brought back, or void the proposal where the money did not go back."""
    if not isinstance(message, RefundChanged):
        return Reject(f"{message.type} does not belong in this queue")
    if message.account != desk.account:
        return Reject(f"the message is for {message.account}, this worker keeps {desk.account}")
    try:
        outcome = Ignored("REFUND_RESTOCK is off") if desk.policy is Policy.OFF else _handled(message, desk)
    except StripeRefused as error:
        refused = alerting.stripe_refused(desk.account, error)
        desk.database.run(lambda c: Alerts(c, desk.account).raise_([refused]))
        raise
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
    """The refund or dispute as Stripe has it now, or why nothing follows from it."""
    found = desk.stripe.dispute(refund) if is_dispute(refund) else desk.stripe.refund(refund)
    if found is None:
        return RetryLater(f"Stripe does not know {refund}")
    if not found.gone:
        return _void(refund, found.status or "nothing", desk)
    if found.payment_intent is None:
        return Ignored("not of a Checkout Session")
    session = desk.stripe.session_of_payment(found.payment_intent)
    if session is None:
        return Ignored("not of a Checkout Session")
    refunds = desk.stripe.refunds_of(found.payment_intent)
    disputes = desk.stripe.disputes_of(found.payment_intent) if found.disputed else []
    return _Paid(found, session, _gone(refunds), _gone(disputes))


def _void(refund: RefundId, status: str, desk: Desk) -> Outcome:
    reason = f"Stripe says {status}"
    products = desk.database.run(lambda c: returns.void(c, desk.account, refund, reason=reason))
    if not products:
        return Ignored(f"the money did not go back ({status})")
    log.warning("refund_taken_back", refund=refund, status=status)
    return _synced(products, desk)


def _gone(backs: Sequence[MoneyBack]) -> int:
    return sum(one.amount for one in backs if one.gone)


def _keep(connection: Connection, paid: _Paid, desk: Desk) -> Outcome:
    refunds = Refunds(connection, desk.account)
    if not refunds.lock_session(paid.session.id):
        return _not_booked(connection, paid, desk)
    waits = UnplacedSales(connection, desk.account).waits(paid.session.id)  # first: a person may place it now
    booked = refunds.booked(paid.session.id)
    if not booked and not waits:
        return Ignored("nothing of the session was taken off the stock")
    made = propose(
        _sold(booked, paid.session),
        amount=paid.back.amount,
        refunded=paid.gone,
        paid=paid.paid,
    )
    new = refunds.propose(_row(paid, made), booked, made.units)
    if not new:
        return Ignored("proposed before")
    if not booked:
        refunds.decide(paid.back.id, "dismissed", by=returns.BY_ITSELF, reason=returns.NOTHING_PLACED)
        return Ignored("what was sold has no place yet; whoever gives it one sees that money went back")
    log.info(
        "refund_proposed",
        refund=paid.back.id,
        session=paid.session.id,
        kind=made.kind,
        units=sum(made.units),
    )
    doubted = refunds.dismissed(paid.session.id, but_by=returns.BY_ITSELF)
    if desk.policy is Policy.AUTO_FULL and paid.given_back and not doubted:
        everything = {line.line: units for line, units in zip(booked, made.units, strict=True)}
        products = _put_back(connection, paid, everything, desk=desk)
        if products is not None:
            return _synced(products, desk)
    lines = [
        AskedLine(one.line, one.name or one.product, one.size, one.sold)
        for one in refunds.lines(paid.back.id)
    ]
    alert = return_alerts.asking(desk.account, paid.back, paid.session.id, made, lines=lines)
    raised = Alerts(connection, desk.account).raise_([alert])
    return Done(then=tuple(AlertOpened(alert=alert) for alert in raised))


def _not_booked(connection: Connection, paid: _Paid, desk: Desk) -> Outcome:
    bounds = Recoveries(connection, desk.account).bounds()
    if bounds is not None and paid.session.created < bounds.installed_at:
        return Ignored("sold before this installation began")
    return RetryLater("the sale is not booked yet")


def _put_back(
    connection: Connection, paid: _Paid, everything: Mapping[LineItemId, int], *, desk: Desk
) -> list[ProductId] | None:
    """Put everything back without asking; None where a person has to say what is possible."""
    reason = "a full refund, and REFUND_RESTOCK is auto-full"
    try:
        return returns.accept(
            connection, desk.account, paid.back.id, everything, by=returns.BY_ITSELF, reason=reason
        )
    except returns.NotReturnable as refused:
        log.warning("refund_not_put_back", refund=paid.back.id, reason=str(refused))
        return None


def _synced(products: Sequence[ProductId], desk: Desk) -> Outcome:
    return Done(then=tuple(SyncRequested(account=desk.account, product=product) for product in products))


def _sold(booked: Sequence[BookedLine], session: CheckoutSession) -> list[SoldLine]:
    amounts = {line.id: line.amount_total for line in session.lines}
    return [SoldLine(b.line, b.product, b.size, b.units, _left(b), amounts.get(b.line)) for b in booked]


def _left(line: BookedLine) -> int:
    """Units that did not come back and that nobody is being asked about."""
    return max(0, line.units - line.returned - line.asked)


def _row(paid: _Paid, made: Proposal) -> Refund:
    back = paid.back
    return Refund(
        back.id,
        paid.session.id,
        made.kind.value,
        made.likeness.value,
        back.amount,
        back.currency,
        "open",
        clock.now(),
    )
