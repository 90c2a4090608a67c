"""Looks every few seconds at what has run out, beside the stock worker's queues; of many workers one looks at a time.

All that was begun is in the database, and what is gone is seen anew at each look: a worker that dies loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Final

from services.stock_worker import alerting, selling_rules
from services.stock_worker.selling_rules import Attention, Stock
from services.stock_worker.selling_sessions import expire_sessions
from services.stock_worker.selling_stops import carry_on, stop_selling
from services.stock_worker.shopfront import Mode, Shopfront
from shared import clock, logs
from shared.database.pool import Connection
from shared.outcomes import Outage
from shared.selling import StopState
from shared.store.alerts import Alerts
from shared.store.jobs import Jobs
from shared.store.selling import ShelfRow
from shared.stripe_api.answers import StripeFailed, StripeRefused
from shared.stripe_api.objects import SurprisingAnswer
from shared.vocabulary import ProductId, Size

TURN: Final = "selling"

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds between looks: at the database, at offers, at open sessions, and at those once an hour has passed.

    `trouble` is until the next try where something is away or somebody else looks.
    """

    look: float = 2.0
    trouble: float = 10.0
    offers: float = 900.0
    sessions: float = 60.0
    old_sessions: float = 900.0


class Seller:
    """Takes off sale what is gone, and puts it back."""

    def __init__(
        self,
        front: Shopfront,
        mode: Mode,
        *,
        expire: bool,
        rhythm: Rhythm = Rhythm(),
    ) -> None:
        self._front = front
        self._mode: Mode = mode
        self._expire = expire
        self._rhythm = rhythm
        self._to_offers = Attention(rhythm.offers, rhythm.offers)
        self._to_sessions = Attention(rhythm.sessions, rhythm.old_sessions)

    def run(self, stop: Event) -> None:
        """Look until `stop` is set; an outage costs looks, nothing else."""
        while not stop.is_set():
            try:
                self.in_turn(stop)
            except Outage as outage:
                log.warning("selling_postponed", reason=str(outage))
            stop.wait(self._rhythm.trouble)

    def in_turn(self, stop: Event) -> None:
        """Look as long as nobody else does; the turn is the session's, and gone with it. Raises DatabaseOutage."""
        front = self._front
        with front.database.session() as connection, Jobs(connection, front.account).alone(TURN) as mine:
            while mine and not stop.is_set():
                stop.wait(self._rhythm.look if self.look(connection) else self._rhythm.trouble)

    def look(self, connection: Connection) -> bool:
        """Do what is to be done now, and whether it could be; no call is made where nothing is gone or stopped.

        Raises DatabaseOutage.
        """
        stops = self._front.stops(connection)  # on the turn's own session: a turn that was lost is noticed
        opened = stops.open()
        if self._mode == "off" and not self._expire and not opened:
            return True
        stock = _stock(stops.shelves())
        if any(stop.state is StopState.RESUMING for stop in opened):
            self._to_offers = Attention(
                self._rhythm.offers, self._rhythm.offers
            )  # it may be gone again by now
        parts = (
            lambda: carry_on(self._front, stock, opened),
            lambda: self._stop(stock),
            lambda: self._end_sessions(_stock(stops.shelves())),  # what was put back meanwhile is not gone
        )
        done = [self._done(part) for part in parts]
        return all(done)

    def _stop(self, stock: Stock) -> None:
        gone, now = selling_rules.gone(stock), clock.monotonic()
        if self._mode != "off" and self._to_offers.wanted(gone, now):
            stop_selling(self._front, self._mode, stock)
            self._to_offers.looked(gone, now)

    def _end_sessions(self, stock: Stock) -> None:
        gone, now = selling_rules.gone(stock), clock.monotonic()
        if self._expire and self._to_sessions.wanted(gone, now):
            expire_sessions(self._front, stock)
            self._to_sessions.looked(gone, now)

    def _done(self, part: Callable[[], None]) -> bool:
        """Whether this part could be done: it keeps none of the others; a refused API key becomes one alert."""
        front = self._front
        try:
            part()
        except StripeRefused as error:
            refused = alerting.stripe_refused(front.account, error)
            front.database.run(lambda c: Alerts(c, front.account).raise_([refused]))
            log.warning("selling_postponed", reason=str(error))
        except (Outage, StripeFailed, SurprisingAnswer) as error:
            log.warning("selling_postponed", reason=str(error))
        else:
            return True
        return False


def _stock(rows: list[ShelfRow]) -> Stock:
    found: dict[ProductId, dict[Size, int | None]] = {}
    for row in rows:
        found.setdefault(row.product, {})[row.size] = row.units
    return found
