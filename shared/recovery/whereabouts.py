"""Where the message of a sale is that is not booked: put aside, unread, tried again, told of lately; or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final, TypeVar

from shared.broker.port import Broker
from shared.database.pool import Database
from shared.messages import Message, RefundChanged, SessionPaid, UndecodableMessage, decode
from shared.store.recoveries import Recoveries
from shared.store.told_sales import ToldSales
from shared.stripe_api.objects import PaidEvent
from shared.topology import REFUNDS, SALES
from shared.vocabulary import AccountKey, EventId, SessionId

MOST_PARKED: Final = 10_000
"""Dead letters that are looked at; where there are more, what was ever told of is taken to be among the others."""

T = TypeVar("T")


class Whereabouts:
    """What one look knows; whatever it takes is read once, and only where something is missing."""

    def __init__(
        self, account: AccountKey, database: Database, broker: Broker, *, backlog: bool | None = None
    ) -> None:
        """`backlog` says whether sales wait unread in the stock worker's queue; None: the queue is asked."""
        self._account = account
        self._database = database
        self._broker = broker
        self._backlog = backlog
        self._heard: datetime | None = None
        self._heard_asked = False
        self._letters: frozenset[SessionId] | None = None
        self._cut = False
        self._refunds: frozenset[EventId] | None = None
        self._refunds_asked = False

    def parked(self, sessions: Collection[SessionId]) -> frozenset[SessionId]:
        """Those of `sessions` that are in the dead letters."""
        if sessions and self._letters is None:
            found = self._broker.dead_letters(SALES, MOST_PARKED)
            self._cut = len(found) >= MOST_PARKED
            messages = [_message(letter.body) for letter in found]
            self._letters = frozenset(one.session for one in messages if isinstance(one, SessionPaid))
        return (self._letters or frozenset[SessionId]()) & frozenset(sessions)

    def refunds_parked(self) -> frozenset[EventId] | None:
        """Events of refunds and disputes in the dead letters; None where more of them than that may be somewhere."""
        if not self._refunds_asked:
            self._refunds = self._look_for_refunds()
            self._refunds_asked = True
        return self._refunds

    def _look_for_refunds(self) -> frozenset[EventId] | None:
        depth = self._broker.depth(REFUNDS)
        if depth.ready or depth.waiting or depth.dead >= MOST_PARKED:
            return None
        found = self._broker.dead_letters(REFUNDS, MOST_PARKED) if depth.dead else []
        messages = [_message(letter.body) for letter in found]
        return frozenset(one.event for one in messages if isinstance(one, RefundChanged))

    def on_the_way(self, sessions: Mapping[SessionId, PaidEvent | None]) -> set[SessionId]:
        """Those of `sessions`, none of them `parked`, whose message is somewhere; with the event of each, if any."""
        if not sessions:
            return set()
        events = {event.id: session for session, event in sessions.items() if event is not None}
        tried = self._ask(lambda recoveries: recoveries.being_tried([*events])) if events else set[EventId]()
        told = self._database.run(
            lambda connection: ToldSales(connection, self._account).among([*sessions], ever=self._cut)
        )
        unread = {session for session, event in sessions.items() if event and self._unread(event)}
        return {events[event] for event in tried} | told | unread

    def _unread(self, event: PaidEvent) -> bool:
        """Whether its webhook may wait in the queue: sales do, and nothing that happened later was handled yet."""
        if not event.delivered:
            return False
        if self._backlog is None:
            self._backlog = self._broker.depth(SALES).ready > 0
        if self._backlog and not self._heard_asked:
            self._heard = self._ask(lambda recoveries: recoveries.newest_handled())
            self._heard_asked = True
        return self._backlog and (self._heard is None or event.created > self._heard)

    def _ask(self, question: Callable[[Recoveries], T]) -> T:
        return self._database.run(lambda connection: question(Recoveries(connection, self._account)))


def _message(body: bytes) -> Message | None:
    """What a dead letter told."""
    try:
        return decode(body)
    except UndecodableMessage:
        return None
