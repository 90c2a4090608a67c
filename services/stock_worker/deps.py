"""What the stock worker's handlers are handed: the account, its books, Stripe, and this installation."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from services.stock_worker.books import Books
from shared.stripe_api.client import StripeApi
from shared.vocabulary import AccountKey


@dataclass(frozen=True, slots=True)
class Deps:
    """One process's things; `low_stock` is the shop's default threshold in units."""

    account: AccountKey
    books: Books
    stripe: StripeApi
    installation: str
    low_stock: int
    stop: Event
