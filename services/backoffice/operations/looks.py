"""Having the stock worker look at many products, and waiting until it has."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Event
from typing import Final

from services.backoffice.operations.hints import hint
from services.backoffice.operations.stocktaking import Shop
from shared import clock
from shared.database.pool import Connection
from shared.store.products import Products
from shared.vocabulary import AccountKey, ProductId

LEAST_SECONDS: Final = 30.0
"""For the first look, and then PER_PRODUCT for each: they are read from Stripe one by one, beside other work."""
PER_PRODUCT: Final = 0.25
_AGAIN: Final = 0.2  # seconds
_NEVER: Final = Event()


def _nobody_watches(done: int, of: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, all in all and for each product; whom to tell how many are done of how many."""

    least: float = LEAST_SECONDS
    per_product: float = PER_PRODUCT
    tell: Callable[[int, int], None] = _nobody_watches

    def seconds(self, products: int) -> float:
        """For so many."""
        return self.least + self.per_product * products


@dataclass(frozen=True, slots=True)
class Looked:
    """Products that nobody looked at in time, and how long that was, in words."""

    left: frozenset[ProductId]
    within: str


def look(shop: Shop, products: Collection[ProductId], patience: Patience) -> Looked:
    """Have all of `products` looked at from now on; raises DatabaseOutage.

    Those that the ledger does not know yet are adopted. One that was looked at stays so, whatever is sold of it
    while others wait.
    """
    wanted = sorted(products)
    shop.database.run(lambda connection: _ask(connection, shop.account, wanted))
    told = hint(shop.broker, shop.account, wanted)
    within = patience.seconds(len(wanted))
    deadline = clock.monotonic() + within
    left = frozenset(wanted)
    while left := left - shop.database.run(lambda c, left=left: Products(c, shop.account).clean(left)):
        patience.tell(len(wanted) - len(left), len(wanted))
        if clock.monotonic() > deadline:
            break
        _NEVER.wait(_AGAIN)
    else:
        patience.tell(len(wanted), len(wanted))
    return Looked(left, f"{within:g} s" if told else f"{within:g} s (the queue does not answer)")


def _ask(connection: Connection, account: AccountKey, products: list[ProductId]) -> None:
    """Whoever looked at them before must look again."""
    books = Products(connection, account)
    books.lock_all(products)
    books.look_again(products)
