"""Stripe's events beside what became of them here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from services.backoffice.operations import event_standing
from services.backoffice.operations.event_standing import Facts, Known, Log, Sale, Standing
from shared.database.pool import Connection, Database
from shared.messages import Message, ProductChanged, RefundChanged, SessionPaid
from shared.refusal import Refused
from shared.store.deliveries import Asked, Booked, Delivered, Deliveries, Watched
from shared.store.journal_pages import Moved
from shared.store.told_sales import ToldSales
from shared.stripe_api.client import StripeApi
from shared.stripe_api.lists import Json
from shared.stripe_api.logged import LoggedEvent, logged_event
from shared.vocabulary import AccountKey, EventId, ProductId, RefundId, SessionId
from shared.webhook_events import EVENT_TYPES


class NoEvent(Refused):
    """Stripe knows no such event; the text is fit for people."""


class NoSuchType(Refused):
    """No event that stocksync listens to is of this type; the text is fit for people."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One account's database, and Stripe."""

    account: AccountKey
    database: Database
    stripe: StripeApi


@dataclass(frozen=True, slots=True)
class Asking:
    """Which events: of these types, since then, all or only those that some endpoint has not taken; so many."""

    types: Sequence[str]
    since: datetime
    undelivered: bool
    limit: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: what Stripe tells, and what became of it; `handled` is how often it is in the delivery log."""

    event: LoggedEvent
    standing: Standing
    handled: int
    first_handled_at: datetime | None

    @property
    def outcome(self) -> str:
        """What became of it, and why, in words."""
        word, why = self.standing.word.value, self.standing.why
        return f"{word}: {why}" if why else word

    @property
    def delivered(self) -> str:
        """Whether every endpoint took it, in words."""
        owed = self.event.owed
        return "yes" if not owed else f"owed to {owed} endpoint{'s' if owed > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Shown:
    """An event with all that concerns stock: what it says, its sale or question to people, and what it moved."""

    entry: Entry
    facts: Facts
    sale: Booked | None
    asked: Asked | None
    moved: list[Moved]


BACK: Final = timedelta(days=30)
"""How far back Stripe's log reaches."""
GROUPS: Final = tuple(sorted({kind.partition(".")[0] for kind in EVENT_TYPES}))


def types(kind: str | None) -> Sequence[str]:
    """The types that are meant: one, or all of a group such as `checkout`; all for None. Raises NoSuchType."""
    wanted = kind.removesuffix(".*") if kind else None
    found = [one for one in sorted(EVENT_TYPES) if wanted in {None, one} or one.startswith(f"{wanted}.")]
    if not found:
        raise NoSuchType(f"no such type: {kind}; there are {', '.join(sorted(EVENT_TYPES))}")
    return found


def listed(desk: Desk, asking: Asking) -> list[Entry]:
    """The newest events, newest first; raises DatabaseOutage, StripeFailed, SurprisingAnswer."""
    pages = desk.stripe.newest_events(asking.since, asking.types, owed=asking.undelivered)
    found = list(islice((event for page in pages for event in page), asking.limit))
    return desk.database.run(lambda connection: _entries(connection, desk.account, found))


def show(desk: Desk, event: str) -> Shown:
    """One event; raises NoEvent, DatabaseOutage, StripeFailed, SurprisingAnswer."""
    found = desk.stripe.event(EventId(event))
    if found is None:
        raise NoEvent(f"Stripe knows no event {event}; it keeps them for 30 days")
    return desk.database.run(lambda connection: _shown(connection, desk.account, found))


def _shown(connection: Connection, account: AccountKey, event: Json) -> Shown:
    (entry,) = _entries(connection, account, [event])
    deliveries = Deliveries(connection, account)
    asked: Asked | None = None
    session: SessionId | None = None
    moved: list[Moved] = []
    match event_standing.message_of(event):
        case SessionPaid(session=named):
            session = named
        case RefundChanged(refund=refund):
            asked = deliveries.asked([refund]).get(refund)
            session = asked.session if asked else None
        case ProductChanged(product=product, at=at):
            moved = deliveries.moved_by_event(entry.event.id, product, at)
        case _:
            pass
    sale = deliveries.booked([session]).get(session) if session else None
    if session:
        moved = deliveries.moved_by_session(session)
    return Shown(entry, event_standing.facts(event), sale, asked, moved)


def _entries(connection: Connection, account: AccountKey, events: Sequence[Json]) -> list[Entry]:
    told = [(logged_event(event), event_standing.message_of(event)) for event in events]
    here = _look_up(connection, account, told)
    return [here.entry(event, message) for event, message in told]


@dataclass(frozen=True, slots=True)
class _Here:
    """What the database knows of some events."""

    logged: Mapping[EventId, Delivered]
    sales: Mapping[SessionId, Booked]
    told: set[SessionId]
    watched: Mapping[ProductId, Watched]
    own: set[str]
    asked: Mapping[RefundId, Asked]

    def entry(self, event: LoggedEvent, message: Message | Standing) -> Entry:
        """One event beside all of that."""
        came = self.logged.get(event.id)
        log = None if came is None else Log(came.outcome, came.arrived)
        standing = event_standing.standing(message, self._known(message, log))
        return Entry(event, standing, came.handled if came else 0, came.first_handled_at if came else None)

    def _known(self, message: Message | Standing, log: Log | None) -> Known:
        match message:
            case SessionPaid(session=session):
                sale = self.sales.get(session)
                booked = None if sale is None else Sale(sale.event, sale.origin, sale.reason)
                return Known(log, sale=booked, told=session in self.told)
            case ProductChanged(product=product, idempotency_key=key):
                seen = self.watched.get(product)
                return Known(
                    log,
                    product=seen is not None,
                    own=key in self.own,
                    waits=seen is not None and seen.waits,
                    synced_at=seen.synced_at if seen else None,
                )
            case RefundChanged(refund=refund):
                asked = self.asked.get(refund)
                return Known(log, asked=asked.state if asked else None)
            case _:
                return Known(log)


def _look_up(
    connection: Connection, account: AccountKey, told: Sequence[tuple[LoggedEvent, Message | Standing]]
) -> _Here:
    deliveries = Deliveries(connection, account)
    messages = [message for _, message in told]
    sessions = [one.session for one in messages if isinstance(one, SessionPaid)]
    changes = [one for one in messages if isinstance(one, ProductChanged)]
    return _Here(
        deliveries.of([event.id for event, _ in told]),
        deliveries.booked(sessions),
        ToldSales(connection, account).among(sessions),
        deliveries.watched([one.product for one in changes]),
        deliveries.own_writes([one.idempotency_key for one in changes if one.idempotency_key]),
        deliveries.asked([one.refund for one in messages if isinstance(one, RefundChanged)]),
    )
