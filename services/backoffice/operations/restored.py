"""Going on after the database was restored from a backup: a new identity, and everything looked at again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.backoffice.operations.hints import hint, publish
from shared import clock
from shared.broker.port import Broker
from shared.database.pool import Connection, Database
from shared.messages import SessionPaid
from shared.refusal import Refused
from shared.store import installations, repairs
from shared.store.sales import Sales
from shared.stripe_api.client import StripeApi
from shared.vocabulary import AccountKey, ProductId, SessionId

STOCK_WORKER: Final = "stocksync stock_worker"
"""What stock workers' connections are called."""
MARGIN: Final = timedelta(hours=1)
"""How much before the newest fact of the backup sales are looked for."""
FURTHEST: Final = timedelta(days=30)
"""How far back at most; Stripe's event log does not reach further either."""
LONGEST_PAYMENT: Final = timedelta(days=15)
"""Between the making of a session and its payment: a day, and two weeks for the slowest method."""


class WorkersConnected(Refused):
    """Stock workers still run; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done: `sessions` were published to be booked, of `products` a sync was asked for."""

    installation: str
    since: datetime
    sessions: int
    booked_before: int
    products: int
    hinted: bool


@dataclass(frozen=True, slots=True)
class Restoration:
    """One account's database that was restored, and the way to its queue and to Stripe."""

    database: Database
    broker: Broker
    stripe: StripeApi
    account: AccountKey

    def run(self, since: datetime | None = None, also: Sequence[str] = ()) -> Restored:
        """Do it, with sales paid since `since`, by default an hour before the newest fact of the backup.

        `also` are ids under which this database wrote and that the backup does not know.
        Safe to run again. Raises WorkersConnected or an Outage with nothing changed but published sales,
        which are harmless to repeat; StripeFailed the same.
        """
        self.database.run(_refuse_workers)
        since = since or self.database.run(lambda c: _default(repairs.newest_known(c, self.account)))
        made = dict(self.stripe.paid_sessions(since - LONGEST_PAYMENT))
        booked = self.database.run(lambda c: Sales(c, self.account).booked(list(made)))
        self.broker.declare()
        missing = {session: at for session, at in made.items() if session not in booked}
        publish(self.broker, [self._paid(session, at) for session, at in missing.items()])
        new_id = secrets.token_hex(4)
        products = self.database.run(_renewing(new_id, self.account, also))
        hinted = hint(self.broker, self.account, products)
        return Restored(new_id, since, len(missing), len(booked), len(products), hinted)

    def _paid(self, session: SessionId, at: datetime) -> SessionPaid:
        return SessionPaid(account=self.account, session=session, at=at, origin="recovery")


def _default(newest: datetime | None) -> datetime:
    furthest = clock.now() - FURTHEST
    return furthest if newest is None else max(newest - MARGIN, furthest)


def _renewing(
    new_id: str, account: AccountKey, also: Sequence[str]
) -> Callable[[Connection], list[ProductId]]:
    def renew(connection: Connection) -> list[ProductId]:
        _refuse_workers(connection)
        installations.renew(connection, new_id, also)
        return repairs.recover_all(connection, account)

    return renew


def _refuse_workers(connection: Connection) -> None:
    if connected := installations.others_connected(connection, STOCK_WORKER):
        raise WorkersConnected(
            f"stock workers are running ({connected} connections): stop all of them, wait five minutes for"
            " requests that are under way, run this, and start them again"
        )
