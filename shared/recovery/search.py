"""Looking for what was missed: Stripe's event log and its list of paid sessions beside the database; only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event
from typing import Final, TypeVar

from shared import clock, logs
from shared.broker.port import Broker
from shared.database.pool import Database
from shared.messages import Message, ProductChanged, RefundChanged, SessionPaid
from shared.outcomes import Outage
from shared.recovery import plan
from shared.recovery.paid_log import PaidLog
from shared.recovery.plan import Missed, Span, Why, Window
from shared.recovery.whereabouts import Whereabouts
from shared.store.recoveries import Bounds, Recoveries
from shared.store.sales import Sales
from shared.store.told_sales import ToldSales
from shared.stripe_api.answers import StripeFailed
from shared.stripe_api.client import Json, StripeApi
from shared.stripe_api.objects import SurprisingAnswer, paid_event
from shared.stripe_events import Ignore, Surprising, recovered
from shared.vocabulary import AccountKey, EventId, SessionId
from shared.webhook_events import MONEY_BACK

MOST_DOUBTS: Final = 20
"""Booked sessions that no list shows and that are read by id in one look; each costs a call."""

T = TypeVar("T")
log = logs.get(__name__)


class Stopped(Outage):
    """The process stops; whatever was found by now is found again."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one page showed.

    `in_transit` and `parked` sessions are missing, but their messages are on the way or in the dead letters.
    `unlisted` ones are booked though Stripe does not show them as paid, `listed` ones it shows again.
    `settled` is when the newest paid session was made that is not in transit.
    """

    missed: tuple[Missed, ...] = ()
    in_transit: int = 0
    parked: tuple[SessionId, ...] = ()
    surprising: int = 0
    unlisted: tuple[SessionId, ...] = ()
    listed: tuple[SessionId, ...] = ()
    settled: datetime | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where is looked, for which account; `stop` ends it."""

    account: AccountKey
    database: Database
    broker: Broker
    stripe: StripeApi
    stop: Event


class Search:
    """One look by one caller; raises Outage, StripeFailed, SurprisingAnswer."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._account = places.account
        self._stripe = places.stripe
        self._counted: set[SessionId] = set()
        self._where = Whereabouts(places.account, places.database, places.broker)
        self._read: set[str] = set()
        self._doubts = MOST_DOUBTS

    def window(self, since: datetime | None = None, *, resume: bool = False) -> Window | None:
        """Where to look now; None before the first stock worker has run.

        `resume` leaves out events that were looked through before, and compares sessions since the last time.
        """
        bounds: Bounds | None = self._ask(lambda recoveries: recoveries.bounds())
        if bounds is None:
            return None
        if not resume:
            return plan.window(clock.now(), bounds.installed_at, since=since)
        return plan.window(
            clock.now(),
            bounds.installed_at,
            looked_until=bounds.events_until,
            compared_until=bounds.sessions_until or bounds.installed_at,
        )

    def events(self, window: Window) -> Iterator[Found]:
        """What undelivered events tell and nobody has heard, oldest first."""
        for events in self._stripe.undelivered_events(window.events_since, window.events_until):
            self._go_on()
            self._read.update(event["id"] for event in events)
            yield self._unheard(events, Why.UNDELIVERED)

    def sessions(self, window: Window, *, backlog: bool | None = None) -> Iterator[Found]:
        """What the list of paid sessions shows beside what is booked, newest first; call it after `events`.

        Before that, what all events tell of delayed payments, refunds and disputes, delivered ones too.
        `backlog` says whether sales wait unread in the stock worker's queue; None: the queue is asked.
        """
        places = self._places
        self._where = Whereabouts(places.account, places.database, places.broker, backlog=backlog)
        for events in self._stripe.late_events(window.sessions_since):
            self._go_on()
            yield self._paid_late([event for event in events if event["type"] not in MONEY_BACK], window)
            yield self._money_back([event for event in events if event["type"] in MONEY_BACK], window)
        paid = PaidLog(self._stripe.paid_events(window.sessions_since))
        pages = self._stripe.completed_sessions(window.sessions_since)
        for span in plan.spans(pages, window.sessions_since, window.now):
            self._go_on()
            yield self._compared(span, window, paid)

    def _unheard(self, events: Sequence[Json], why: Why) -> Found:
        told: list[Message] = []
        surprising = 0
        for event in events:
            try:
                result = recovered(event, why.value)
            except Surprising as surprise:
                log.error("event_surprising", event_id=event.get("id"), field=str(surprise))  # noqa: TRY400 - a traceback quotes data
                surprising += 1
            else:
                told += () if isinstance(result, Ignore) else result
        missed = tuple(Missed(message, why) for message in self._news(told))
        self._counted.update(one.sale for one in missed if one.sale)
        return Found(missed, surprising=surprising)

    def _news(self, told: Sequence[Message]) -> list[Message]:
        """The messages whose event was not handled, and whose session is neither booked nor was told of lately."""
        events = [EventId(event) for one in told if (event := _event(one))]
        handled = self._ask(lambda recoveries: recoveries.handled(events)) if events else set[EventId]()
        fresh = [one for one in told if _event(one) not in handled]
        sales = [one.session for one in fresh if isinstance(one, SessionPaid)]
        known = self._booked(sales) | self._told(sales)
        return [one for one in fresh if not (isinstance(one, SessionPaid) and one.session in known)]

    def _paid_late(self, events: Sequence[Json], window: Window) -> Found:
        """What delayed payments tell, whenever the session was made: it may be older than the list is compared."""
        known = [event for event in map(paid_event, events) if event is not None]
        paid = {event.session: event.created for event in known}
        found = self._absent(Span(window.sessions_since, window.now, paid), window, PaidLog(iter([known])))
        self._counted |= paid.keys()
        return found

    def _money_back(self, events: Sequence[Json], window: Window) -> Found:
        """What refunds and disputes tell that no delivery log holds; nothing while any message of one is on its way."""
        edge = window.cut_off.timestamp()
        settled = [event for event in events if event["created"] <= edge and event["id"] not in self._read]
        parked = self._where.refunds_parked() if settled else None
        if parked is None:
            return Found()
        return self._unheard([event for event in settled if event["id"] not in parked], Why.LOST)

    def _compared(self, span: Span, window: Window, paid: PaidLog) -> Found:
        found = self._absent(span, window, paid)
        unlisted, listed = self._unlisted(span, window)
        settled = [made for made in span.paid.values() if made <= window.cut_off]
        return replace(found, unlisted=unlisted, listed=listed, settled=max(settled, default=None))

    def _absent(self, span: Span, window: Window, paid: PaidLog) -> Found:
        """Why each session of `span` that is not booked is missing, but for those whose message is somewhere."""
        doubted = plan.doubted(span, self._booked([*span.paid]), self._counted, window.cut_off)
        parked = self._where.parked(doubted.missing.keys())
        missing = {one: made for one, made in doubted.missing.items() if one not in parked}
        events = paid.events(missing)
        late = {one for one, event in events.items() if event.created > window.cut_off}
        late |= self._where.on_the_way({one: events.get(one) for one in missing})
        missed = tuple(
            plan.explained(self._account, one, made, events.get(one), whole_log=paid.reaches(made))
            for one, made in missing.items()
            if one not in late
        )
        return Found(missed, len(doubted.in_transit) + len(late), tuple(sorted(parked)))

    def _unlisted(self, span: Span, window: Window) -> tuple[tuple[SessionId, ...], tuple[SessionId, ...]]:
        """Booked sessions that Stripe does not show as paid, by id too, and those that it shows again."""
        booked = self._ask(
            lambda recoveries: recoveries.booked_between(span.since, span.until, before=window.now)
        )
        unlisted = tuple(
            one for one, known in booked.items() if one not in span.paid and (known or self._unpaid(one))
        )
        return unlisted, tuple(one for one, known in booked.items() if known and one in span.paid)

    def _unpaid(self, session: SessionId) -> bool:
        """Whether the session, read by id, is not paid; a list may lag behind."""
        if not self._doubts:
            return False
        self._doubts -= 1
        try:
            shown = self._stripe.checkout_session(session)
        except (StripeFailed, SurprisingAnswer):
            return False
        return shown is None or not shown.paid

    def _booked(self, sessions: Sequence[SessionId]) -> set[SessionId]:
        if not sessions:
            return set()
        return self._places.database.run(lambda connection: Sales(connection, self._account).booked(sessions))

    def _told(self, sessions: Sequence[SessionId]) -> set[SessionId]:
        if not sessions:
            return set()
        return self._places.database.run(lambda c: ToldSales(c, self._account).among(sessions))

    def _ask(self, question: Callable[[Recoveries], T]) -> T:
        return self._places.database.run(lambda connection: question(Recoveries(connection, self._account)))

    def _go_on(self) -> None:
        if self._places.stop.is_set():
            raise Stopped("the process stops")


def _event(message: Message) -> EventId | None:
    return message.event if isinstance(message, SessionPaid | ProductChanged | RefundChanged) else None
