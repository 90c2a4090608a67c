"""A shop whose stock worker takes off sale what is gone, look by look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.stock_worker.selling import Rhythm, Seller
from services.stock_worker.shopfront import Mode, Shopfront
from shared.stripe_api.client import StripeApi
from shared.stripe_api.selling import Selling
from shared.vocabulary import ProductId, SessionId
from tests.integration.stock_worker.shop import ACCOUNT, PATIENCE, Shop

OFTEN = Rhythm(look=0.05, trouble=0.05, offers=0, sessions=0, old_sessions=0)
"""Every look looks at everything."""
CHOOSER = {
    "key": "size",
    "type": "dropdown",
    "label": {"type": "custom", "custom": "Size"},
    "dropdown": {"options": [{"label": size, "value": size} for size in ("S", "M")]},
}


@dataclass(slots=True)
class Till:
    """What a test sells, and what it sees of what is on sale."""

    shop: Shop
    front: Shopfront
    seller: Seller

    @property
    def stripe(self) -> Selling:
        """The wire that the worker uses."""
        return self.front.stripe

    def look(self, times: int = 1) -> None:
        """The worker looks."""
        for _ in range(times):
            with self.shop.database.session() as connection:
                self.seller.look(connection)

    def link(self, *prices: str, chooser: bool = False) -> str:
        """A new payment link of one unit of each price."""
        wanted: Any = {
            "line_items": [{"price": price, "quantity": 1} for price in prices],
            "custom_fields": [CHOOSER] if chooser else [],
        }
        return self.shop.stripe.v1.payment_links.create(wanted).id

    def price(self, product: ProductId, size: str = "") -> str:
        """A new price, of one size where one is named."""
        metadata = {"size": size} if size else {}
        wanted: Any = {"product": product, "currency": "eur", "unit_amount": 100, "metadata": metadata}
        return self.shop.stripe.v1.prices.create(wanted).id

    def open(self, product: ProductId, size: str, **more: Any) -> SessionId:  # noqa: ANN401 - Stripe's parameters
        """A session that a customer has not paid yet."""
        wanted: Any = {
            "mode": "payment",
            "success_url": "https://shop.example",
            "line_items": [self.shop.line(product, size)],
            **more,
        }
        return SessionId(self.shop.stripe.v1.checkout.sessions.create(wanted).id)

    def sell(self, product: ProductId, size: str = "", units: int = 1) -> None:
        """A customer buys, and it is booked."""
        self.shop.book(self.shop.sold(self.shop.line(product, size, units)))

    def restock(self, product: ProductId, **absolute: str) -> None:
        """A person types what came in into the Dashboard, and it is booked."""
        self.shop.dashboard(product, **absolute)
        self.shop.touch(product)
        self.shop.sync(product)

    def active(self, thing: str) -> bool:
        """Whether Stripe shows the link or product as on sale."""
        if thing.startswith("plink_"):
            return self.shop.stripe.v1.payment_links.retrieve(thing).active
        return self.shop.stripe.v1.products.retrieve(thing).active

    def by_hand(self, link: str, *, active: bool) -> None:
        """A person decides in the Dashboard."""
        self.shop.stripe.v1.payment_links.update(link, {"active": active})

    def status(self, session: SessionId) -> str | None:
        """Whether a session is open, complete or expired."""
        return self.shop.stripe.v1.checkout.sessions.retrieve(session).status

    def stops(self) -> list[tuple[str, str, bool]]:
        """(object, state, whether it is over) of all stops, oldest first."""
        with self.shop.database.transaction() as connection:
            rows = connection.execute(
                "select object, state, ended_at is not null from selling_stop order by id"
            )
            return [(str(row[0]), str(row[1]), bool(row[2])) for row in rows]

    def expired(self) -> dict[str, str]:
        """What became of sessions that were to expire."""
        with self.shop.database.transaction() as connection:
            rows = connection.execute("select session_id, state from expired_session")
            return {str(row[0]): str(row[1]) for row in rows}

    def soon(self) -> None:
        """Nothing waits for its next try any longer."""
        with self.shop.database.transaction() as connection:
            connection.execute("update selling_stop set retry_at = now()")


def till(shop: Shop, mode: Mode = "links", *, expire: bool = False, rhythm: Rhythm = OFTEN) -> Till:
    """The till of a worker that was started with these settings."""
    api = StripeApi("sk_test_shop", shop.url, read_timeout=PATIENCE)
    front = Shopfront(ACCOUNT, shop.database, api.selling)
    return Till(shop, front, Seller(front, mode, expire=expire, rhythm=rhythm))
