"""What every page stands on: the ledger, the queue, the shop's clock, and who is asking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, cast
from zoneinfo import ZoneInfo

from flask import current_app, g, request

from services.backoffice.operations.reports.stock import Ledger
from services.backoffice.operations.stocktaking import Author, Shop
from shared.broker.port import Broker
from shared.refusal import Refused
from shared.store.people import Visit
from shared.stripe_api.client import StripeApi

LONGEST_REASON: Final = 200
_ORDER: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_KEY: Final = "stocksync"


@dataclass(frozen=True, slots=True)
class Storefront:
    """Whose pages may ask what there is (origins, or `*`), and whether they are told `units` or only in, low, out."""

    origins: frozenset[str]
    units: bool


@dataclass(frozen=True, slots=True)
class Office:
    """One account's back office; `origin` is what browsers call it."""

    ledger: Ledger
    broker: Broker
    zone: ZoneInfo
    origin: str
    stripe: StripeApi
    storefront: Storefront | None = None

    @property
    def shop(self) -> Shop:
        """The ledger, and the way to its stock worker."""
        return Shop(self.ledger.database, self.broker, self.ledger.account)

    @property
    def speaks_tls(self) -> bool:
        """Whether people reach the pages through a proxy that speaks TLS."""
        return self.origin.startswith("https:")

    def keep(self, extensions: dict[str, object]) -> None:
        """Have `office` find it."""
        extensions[_KEY] = self


def office() -> Office:
    """That of the application which answers."""
    return cast("Office", current_app.extensions[_KEY])


def visit() -> Visit:
    """Who is asking; only where the gate let somebody in."""
    return cast("Visit", g.visit)


class TooLong(Refused):
    """Somebody gave a reason that is a story."""


def author(reason: str) -> Author:
    """Whoever is asking, as the one who changes something; raises TooLong.

    A form that holds an `order` of its own counts once, however often its button is clicked.
    """
    if len(reason.strip()) > LONGEST_REASON:
        raise TooLong(f"say why in up to {LONGEST_REASON} characters")
    order = request.form.get("order", "")
    known = {"order": order} if _ORDER.fullmatch(order) else {}
    return Author(visit().person, reason.strip(), **known)
