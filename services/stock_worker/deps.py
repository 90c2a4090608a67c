"""What the stock worker's handlers are handed: the account, its books, Stripe, and this installation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Final, Protocol

from services.stock_worker.books import Books
from shared.stripe_api.answers import WriteAnswer
from shared.stripe_api.objects import Product, ProductUpdate
from shared.stripe_api.sessions import SessionAnswer
from shared.verification import Look
from shared.vocabulary import AccountKey, ProductId, SessionId

PACE: Final = 1.0
"""Seconds between two writes of one product: sales that meet in between share one."""


class Stripe(Protocol):
    """What is asked of Stripe; reads raise an Outage or StripeFailed, the write never raises."""

    def product(self, product: ProductId) -> Product | None:
        """The product by id, a `deleted` one as such; None where there is none."""
        ...

    def checkout_sessions(self, wanted: Mapping[SessionId, datetime]) -> dict[SessionId, SessionAnswer]:
        """Each session with all of its lines, or why it can't be had; the times are their events'."""
        ...

    def product_updates(self, product: ProductId, since: datetime) -> Iterable[ProductUpdate]:
        """The product's `product.updated` events since `since`, oldest first."""
        ...

    def write_metadata(self, product: ProductId, body: Mapping[str, str], key: str) -> WriteAnswer:
        """POST `body` (may be empty: a fence) as the product's metadata under idempotency `key`, once."""
        ...


class Looks(Protocol):
    """Keeps what was seen on behalf of a verification; raises an Outage."""

    def keep(self, check: str, product: ProductId, look: int, seen: Look) -> None:
        """Keep what look number `look` of a check saw; the first of two answers stands."""
        ...


@dataclass(frozen=True, slots=True)
class Deps:
    """One process's things; `low_stock` is the shop's default threshold in units."""

    account: AccountKey
    books: Books
    stripe: Stripe
    installation: str
    former: frozenset[str]
    """Ids under which this database wrote before it was restored from a backup."""
    low_stock: int
    stop: Event
    restore_edits: bool = False
    """Put edits in Stripe back, instead of taking them over."""
    looks: Looks | None = None
    """Where looks are kept; None where nobody verifies."""
    keep_customers: bool = False
    """Whether names and addresses of buyers are kept beside their sales."""
    pace: float = PACE
