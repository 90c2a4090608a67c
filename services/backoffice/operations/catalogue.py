"""The products a page at a time, and one of them with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.backoffice.operations.reports.stock import Ledger
from shared.database.pool import Connection
from shared.refusal import Refused
from shared.stock_levels import Level
from shared.store.levels import Levels, Named
from shared.store.product_pages import ProductLine, ProductPages, Standing
from shared.vocabulary import ProductId

PAGE: Final = 50  # products


class NoSuchProduct(Refused):
    """The ledger has never seen a product with this id."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of products; `matching` are there on all pages together."""

    lines: list[ProductLine]
    matching: int
    number: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.matching // PAGE))


def listing(ledger: Ledger, search: str, standing: Standing, number: int) -> Listing:
    """Page `number` (from 1) of the products that match; raises DatabaseOutage."""
    offset = (number - 1) * PAGE
    lines = ledger.database.run(
        lambda c: ProductPages(c, ledger.account, ledger.low_stock).page(
            search, standing, limit=PAGE, offset=offset
        )
    )
    return Listing(lines, lines[0].matching if lines else 0, number)


def levels(ledger: Ledger, product: ProductId) -> tuple[Named, list[Level]]:
    """The product and its sizes, without those that keep no number; raises NoSuchProduct, DatabaseOutage."""

    def read(connection: Connection) -> tuple[Named | None, list[Level]]:
        stock = Levels(connection, ledger.account, ledger.low_stock)
        return stock.named(product), stock.now(product)

    named, found = ledger.database.run(read)
    if named is None:
        raise NoSuchProduct(f"no product {product} was ever seen")
    return named, found
