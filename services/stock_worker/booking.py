"""Booking paid sessions: read them from Stripe, place their lines, commit a batch in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from services.stock_worker import alerting, catalogue
from services.stock_worker.books import Tx
from services.stock_worker.deps import Deps
from services.stock_worker.sales import Booking, Catalogue, UnbookableSession, book
from shared import clock, logs
from shared.aliases import Aliases
from shared.messages import AlertOpened, Message, SessionPaid, SyncRequested
from shared.outcomes import Done, Ignored, Outcome, Reject, RetryLater
from shared.store.sales import Buyer, Handled, Sale
from shared.stripe_api.answers import StripeFailed
from shared.stripe_api.objects import CheckoutSession, SurprisingAnswer
from shared.stripe_api.sessions import SessionAnswer
from shared.vocabulary import AccountKey, ProductId, SessionId

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class _Paid:
    """One session to book, and the message that told of it."""

    message: SessionPaid
    session: CheckoutSession

    @property
    def delay(self) -> timedelta | None:
        """How late a recovered sale is booked."""
        late = clock.now() - self.message.at
        return max(late, timedelta()) if self.message.origin == "recovery" else None


def book_sessions(messages: Sequence[SessionPaid], deps: Deps) -> list[Outcome]:
    """Book every paid session once; one outcome for each message, in their order."""
    answers = _read(messages, deps)
    sessions = [answer.session for answer in answers.values() if isinstance(answer, _Paid)]
    unlooked = _adopt(sessions, deps) if sessions else frozenset[ProductId]()
    booked = deps.books.run(lambda tx: _book(tx, messages, answers, unlooked, deps=deps))
    seen: set[SessionId] = set()
    outcomes: list[Outcome] = []
    for message in messages:
        first = message.session not in seen
        seen.add(message.session)
        outcomes.append(booked[message.session] if first else Ignored("told twice at once"))
    return outcomes


def _adopt(sessions: Sequence[CheckoutSession], deps: Deps) -> frozenset[ProductId]:
    """Have the ledger know the products of `sessions`; those that could not be looked at."""
    wanted = catalogue.named(sessions)
    known = deps.books.run(lambda tx: catalogue.load(tx, wanted))
    return catalogue.adopt(sessions, known, deps)


def _read(messages: Sequence[SessionPaid], deps: Deps) -> dict[SessionId, _Paid | Outcome]:
    """Each session as Stripe has it now, or why it can't be booked."""
    webhooks_last = sorted(messages, key=lambda message: message.origin == "webhook")
    once = {message.session: message for message in webhooks_last}
    before = deps.books.run(lambda tx: tx.sales.booked(list(once)))
    wanted = {session: message for session, message in once.items() if session not in before}
    ours = {session: message.at for session, message in wanted.items() if message.account == deps.account}
    read = deps.stripe.checkout_sessions(ours)
    return {
        **dict.fromkeys(before, Ignored("booked before")),
        **{session: _read_one(message, read.get(session), deps) for session, message in wanted.items()},
    }


def _read_one(message: SessionPaid, answer: SessionAnswer, deps: Deps) -> _Paid | Outcome:
    if message.account != deps.account:
        return Reject(f"the message is for {message.account}, this worker keeps {deps.account}")
    if isinstance(answer, StripeFailed | SurprisingAnswer):
        return RetryLater(str(answer))
    if answer is None:
        return RetryLater("Stripe does not know the session")
    if answer.livemode != message.account.endswith(":live"):
        return Reject("the session is of the other mode")
    return _Paid(message, answer) if answer.paid else Ignored("not paid")


def _book(
    tx: Tx,
    messages: Sequence[SessionPaid],
    answers: dict[SessionId, _Paid | Outcome],
    unlooked: Collection[ProductId],
    *,
    deps: Deps,
) -> dict[SessionId, Outcome]:
    paid = [answer for answer in answers.values() if isinstance(answer, _Paid)]
    wanted = catalogue.named(p.session for p in paid)
    taught = catalogue.taught(tx, [p.session for p in paid])
    tx.products.lock_all(wanted | {alias.product for alias in taught.values()})
    known = catalogue.load(tx, wanted)
    aliases = catalogue.followed(tx, taught)
    # Whoever booked the session meanwhile may have held what can be placed by now, or the other way round.
    before = tx.sales.booked([p.session.id for p in paid])
    answers = {**answers, **dict.fromkeys(before, Ignored("booked before"))}
    outcomes: dict[SessionId, Outcome] = {}
    bookings: list[tuple[_Paid, Booking]] = []
    for session, answer in answers.items():
        booked = (
            _place(answer, known, unlooked, aliases, account=deps.account)
            if isinstance(answer, _Paid)
            else answer
        )
        if isinstance(booked, Booking) and isinstance(answer, _Paid):
            bookings.append((answer, booked))
            outcomes[session] = Done()
        elif not isinstance(booked, Booking):
            outcomes[session] = booked
    if bookings:
        first = bookings[0][0].message.session
        outcomes[first] = Done(then=_commit(tx, bookings, deps))
    _log_deliveries(tx, messages, outcomes)
    return outcomes


def _place(
    paid: _Paid,
    known: Catalogue,
    unlooked: Collection[ProductId],
    aliases: Aliases,
    *,
    account: AccountKey,
) -> Booking | Outcome:
    """Where its lines belong; later where the ledger does not know a product as it is now, and could not look."""
    outdated = catalogue.stale([paid.session], known).intersection(unlooked)
    if outdated or catalogue.named([paid.session]) - known.keys():
        return RetryLater("a product of the session could not be looked at yet")
    try:
        made = book(account, paid.session, known, aliases)
    except UnbookableSession as error:
        return Reject(str(error))
    event = paid.message.event
    return replace(made, movements=tuple(replace(m, event=event) for m in made.movements))


def _commit(tx: Tx, bookings: Sequence[tuple[_Paid, Booking]], deps: Deps) -> tuple[Message, ...]:
    """Write the bookings down; the hints that follow from them."""
    placed = [movement for _, booking in bookings for movement in booking.movements]
    held = [line for _, booking in bookings for line in booking.unplaced]
    new = tx.movements.append(placed)
    tx.sales.record(
        [
            Sale(
                deps.account,
                paid.session.id,
                paid.message.origin,
                paid.message.event,
                paid.session.created,
                len(paid.session.lines),
                len(booking.unplaced),
                reason=paid.message.reason,
                delay=paid.delay,
                skipped=booking.skipped,
                customer=paid.session.customer,
                buyer=_buyer(paid.session) if deps.keep_customers else None,
            )
            for paid, booking in bookings
        ],
    )
    fresh = tx.sales.hold(held)
    raised = alerting.unplaced(tx, [line for line in held if line.source_key in fresh], deps)
    sold: list[ProductId] = sorted({m.product for m in placed if m.source_key in new})
    tx.products.mark_dirty(sold)
    _log_sales(bookings)
    hints = [SyncRequested(account=deps.account, product=product) for product in sold]
    return (*hints, *(AlertOpened(alert=alert) for alert in raised))


def _buyer(session: CheckoutSession) -> Buyer | None:
    told = session.customer_details
    return Buyer(told.name, told.email) if told.name or told.email else None


def _log_sales(bookings: Sequence[tuple[_Paid, Booking]]) -> None:
    for paid, booking in bookings:
        log.info(
            "sale_booked",
            session=paid.session.id,
            lines=len(booking.movements),
            unplaced=len(booking.unplaced),
            skipped=booking.skipped,
        )


def _log_deliveries(tx: Tx, messages: Sequence[SessionPaid], outcomes: dict[SessionId, Outcome]) -> None:
    handled = [
        Handled(
            message.account,
            message.event,
            message.event_type,
            type(outcomes[message.session]).__name__.lower(),
            message.at,
            recovered=message.origin == "recovery",
        )
        for message in messages
        if message.event is not None
    ]
    if handled:
        tx.sales.log_deliveries(handled)
