"""What the checks share: settings, addresses, and connections that are opened by who needs them first."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from services.backoffice.settings import MachineSettings
from services.backoffice.supervisor import plan
from shared import clock
from shared.broker.connect import connect
from shared.broker.port import Broker
from shared.database.connect import dsn
from shared.database.pool import Database
from shared.simulator_secret import webhook_secret
from shared.stripe_api.client import SIMULATOR_KEY
from shared.stripe_api.plain import Answer, PlainApi
from shared.vocabulary import AccountKey, account_key

SECONDS = 5.0
"""Longest wait for a database."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """Stripe's answer to a first, harmless question, and when it came by our clock."""

    answer: Answer
    at: datetime
    seconds: float


class Context:
    """One run of the doctor; `ingest` (http://host:port) is where ingest listens. Close it."""

    def __init__(self, settings: MachineSettings, ingest: str = "") -> None:
        self.settings = settings
        self.account: AccountKey = account_key(None, livemode=settings.livemode)
        self.ingest = ingest.rstrip("/") or plan.url(settings.ingest_bind) or ""
        self.stripe = plain_api(settings)

    @cached_property
    def greeting(self) -> Greeting:
        """A list of one product; raises StripeUnavailable."""
        begun = clock.monotonic()
        answer = self.stripe.get("products", limit=1)
        return Greeting(answer, clock.now(), clock.monotonic() - begun)

    @cached_property
    def dsn(self) -> str:
        """The database's address; an embedded one is started. Raises EmbeddedFailed, WrongDatabase."""
        return dsn(self.settings)

    @cached_property
    def database(self) -> Database:
        """A few connections to it."""
        return Database(self.dsn, name="stocksync doctor", size=2, timeout=SECONDS)

    @cached_property
    def broker(self) -> Broker:
        """The queue."""
        return connect(self.settings)

    @property
    def secret(self) -> str | None:
        """What webhooks are signed with; the simulator's own where no Stripe account is named."""
        if (given := self.settings.stripe_webhook_secret) is not None:
            return given.get_secret_value().split(",")[0]
        return webhook_secret(self.settings.stocksync_home) if self.settings.uses_simulator else None

    @property
    def knows_simulators_secret(self) -> bool:
        """Whether STRIPE_WEBHOOK_SECRET is the one that was made up for the simulator here."""
        with suppress(FileNotFoundError):  # the simulator was never used here
            path = self.settings.stocksync_home / "simulator" / "webhook_secret"
            return path.read_text(encoding="ascii").strip() == self.secret
        return False

    def close(self) -> None:
        """Let go of whatever was opened."""
        opened: Mapping[str, object] = vars(self)
        for name in ("broker", "database"):
            if name in opened:
                getattr(self, name).close()


def plain_api(settings: MachineSettings) -> PlainApi:
    """Stripe, or where `stocksync up` puts the simulator."""
    if settings.stripe_api_key is None:
        return PlainApi(SIMULATOR_KEY, settings.stripe_api_base or plan.url(settings.simulator_bind))
    return PlainApi(settings.stripe_api_key.get_secret_value(), settings.stripe_api_base)
