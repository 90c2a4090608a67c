"""Stripe's API at a pace that all processes of one account share through the database."""

from __future__ import annotations

from threading import Event
from typing import Final

from shared import logs
from shared.database.pool import Database
from shared.outcomes import Outage
from shared.settings import StripeSettings
from shared.store import pace
from shared.stripe_api import client
from shared.stripe_api.answers import StripeRefused
from shared.stripe_api.calls import UNAUTHORIZED, refusal
from shared.stripe_api.client import StripeApi
from shared.stripe_api.pace import ALL, Limits, Turn
from shared.vocabulary import AccountKey, account_key

TELL_EVERY: Final = 3600.0
"""Seconds between two lines on how much of Stripe's allowance is used."""

log = logs.get(__name__)


class SharedPace:
    """Turns from the database; a Pace. Without the database nobody calls Stripe: DatabaseOutage."""

    def __init__(self, database: Database, account: AccountKey, limits: Limits) -> None:
        self._database = database
        self._account = account
        self.limits = limits

    def take(self, endpoint: str, *, write: bool) -> Turn:
        """Reserve the next turn; raises StripeRefused, DatabaseOutage."""
        with self._database.session() as connection:
            found = pace.take(connection, self._account, endpoint, self.limits, write=write)
        if found.refused is not None:
            of_key = found.refused == refusal(UNAUTHORIZED, endpoint)
            raise StripeRefused(found.refused, ALL if of_key else endpoint)
        return Turn(endpoint, found.wait, found.slowed, found.probe)

    def slow(self, endpoint: str, at_least: float) -> None:
        """Nobody calls `endpoint` for a while; raises DatabaseOutage."""
        with self._database.session() as connection:
            pace.slow(connection, self._account, endpoint, at_least)

    def refuse(self, endpoint: str, reason: str) -> None:
        """Nobody calls `endpoint` but one probe in a while; raises DatabaseOutage."""
        with self._database.session() as connection:
            seconds = self.limits.probe_seconds
            pace.refuse(connection, self._account, endpoint, reason, probe_seconds=seconds)

    def accept(self, turn: Turn) -> None:
        """The call of a `slowed` or `probe` turn succeeded; raises DatabaseOutage."""
        with self._database.session() as connection:
            pace.accept(connection, self._account, turn)


def connect(settings: StripeSettings, database: Database, stop: Event) -> StripeApi:
    """The API that `settings` name, at the pace that all processes on `database` share."""
    account = account_key(None, livemode=settings.livemode)
    return client.connect(settings, SharedPace(database, account, client.limits(settings)), stop)


def tell_usage(stop: Event, *, database: Database, account: AccountKey) -> None:
    """Log once an hour, until `stop`, how much of Stripe's monthly allowance is used."""
    while True:
        try:
            used = database.run(lambda connection: pace.usage(connection, account))
        except Outage as outage:
            log.warning("stripe_usage_unknown", reason=str(outage))
        else:
            log.info(
                "stripe_usage",
                month=used.month.isoformat()[:7],
                reads=used.reads,
                allowed=used.reads_allowed,
                writes=used.writes,
                sales=used.sales,
            )
        if stop.wait(TELL_EVERY):
            return
