"""What is on sale in Stripe, as the ledger understands it: links, products and open sessions with what they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from services.stock_worker import catalogue, selling_rules
from services.stock_worker.sales import Catalogue
from services.stock_worker.selling_rules import Offered, Standing, Stock
from services.stock_worker.sql_books import SqlBooks
from shared.database.pool import Connection, Database
from shared.selling import Offer
from shared.store.selling import Expiries, SellingStops
from shared.stripe_api.objects import CheckoutSession, PaymentLink, Product
from shared.stripe_api.selling import Selling
from shared.vocabulary import PLAIN, AccountKey, ProductId, Variant

Mode = Literal["off", "links", "product"]


@dataclass(frozen=True, slots=True)
class Shopfront:
    """One account's offers. Whatever asks Stripe raises Outage, StripeFailed, SurprisingAnswer."""

    account: AccountKey
    database: Database
    stripe: Selling

    def stops(self, connection: Connection) -> SellingStops:
        """The records of what was taken off sale."""
        return SellingStops(connection, self.account)

    def expiries(self, connection: Connection) -> Expiries:
        """The records of expired sessions."""
        return Expiries(connection, self.account)

    def known(self, sessions: Iterable[CheckoutSession]) -> Catalogue:
        """The shelves of the products that `sessions` name; those that nobody has looked at are not among them."""
        wanted = catalogue.named(sessions)
        return SqlBooks(self.database, self.account).run(lambda tx: catalogue.load(tx, wanted))

    def active(self, mode: Mode, stock: Stock) -> Iterator[Offered]:
        """What is on sale and may have to be stopped, as lists show it, which may lag behind."""
        if mode == "links":
            for page in self.stripe.active_links():
                yield from self._links(page)
        elif mode == "product":
            whole = (Variant(product, PLAIN) for product in stock)
            gone = [v.product for v in whole if selling_rules.standing(v, stock) is Standing.GONE]
            yield from (_product(shown) for shown in self.stripe.active_products(gone))

    def offered(self, offer: Offer, thing: str) -> Offered | None:
        """The link or product as it is now; None where there is none."""
        if offer is Offer.PRODUCT:
            product = self.stripe.product(thing)
            return _product(product) if product else None
        link = self.stripe.link(thing)
        return next(iter(self._links([link]))) if link else None

    def _links(self, links: Sequence[PaymentLink]) -> list[Offered]:
        sessions = [selling_rules.opened(link) for link in links]
        known = self.known(sessions)
        return [
            Offered(Offer.LINK, link.id, link.active, selling_rules.takes(session, known))
            for link, session in zip(links, sessions, strict=True)
        ]


def _product(shown: Product) -> Offered:
    whole = Variant(ProductId(shown.id), PLAIN)
    return Offered(Offer.PRODUCT, shown.id, shown.active, (whole,))
