"""What the commands that look back share: settings, the ledger, Stripe, the shop's clock."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from zoneinfo import ZoneInfo

from services.backoffice.cli.surroundings import account_of, open_database, plain_errors
from services.backoffice.operations.reports.stock import Ledger
from services.backoffice.settings import MachineSettings
from shared import logs, paced_stripe
from shared.settings import load
from shared.stripe_api.client import StripeApi


@dataclass(frozen=True, slots=True)
class Desk:
    """One command's things."""

    settings: MachineSettings
    ledger: Ledger
    zone: ZoneInfo

    def stripe(self) -> StripeApi:
        """Stripe's API, at the pace that all processes share."""
        return paced_stripe.connect(self.settings, self.ledger.database, Event())


@contextmanager
def desk() -> Generator[Desk]:
    """The desk while its database is open; what people can do something about is one line."""
    settings = load(MachineSettings)
    logs.configure("backoffice", settings.log_level)
    with plain_errors(), open_database(settings) as database:
        ledger = Ledger(database, account_of(settings, database), settings.low_stock_threshold)
        yield Desk(settings, ledger, settings.zone)
