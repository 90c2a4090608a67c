"""What the stock worker's handlers are handed: the account, the database, Stripe, and this installation."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from shared.database.pool import Database
from shared.stripe_api.client import StripeApi
from shared.vocabulary import AccountKey


@dataclass(frozen=True, slots=True)
class Deps:
    """One process's things; `low_stock` is the shop's default threshold in units."""

    account: AccountKey
    database: Database
    stripe: StripeApi
    installation: str
    low_stock: int
    stop: Event
