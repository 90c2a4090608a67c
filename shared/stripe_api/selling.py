"""What is offered for sale in Stripe: payment links, products, open sessions; and taking it off sale and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import stripe

from shared.selling import Offer
from shared.stripe_api import objects
from shared.stripe_api.answers import StripeFailed, WriteAnswer, WriteResult, classify
from shared.stripe_api.calls import Calls
from shared.stripe_api.lists import Json, lister
from shared.stripe_api.objects import CheckoutSession, PaymentLink, checked, part
from shared.vocabulary import ProductId, SessionId

PAGE: Final = 100
_LINKS: Final = "/v1/payment_links"
_SESSIONS: Final = "/v1/checkout/sessions"
_UPDATED: Final = {Offer.LINK: "payment_link.updated", Offer.PRODUCT: "product.updated"}


class Selling:
    """The account's offers. Reads raise Outage, StripeFailed, SurprisingAnswer. Thread-safe."""

    def __init__(self, client: stripe.StripeClient, calls: Calls) -> None:
        self._client = client
        self._calls = calls

    def active_links(self) -> Iterator[list[PaymentLink]]:
        """The pages of payment links that can be paid for; lists may lag behind."""
        params = {"active": True, "limit": PAGE, "expand": ["data.line_items"]}
        for page in self._calls.pages("GET payment_links", params, lister(self._client, _LINKS)):
            yield [self._link(row) for row in page]

    def link(self, link: str) -> PaymentLink | None:
        """The payment link as it is now; None where there is none."""
        expand = ["line_items"]
        found = self._calls.read(
            "GET payment_links/id",
            lambda: self._client.v1.payment_links.retrieve(link, {"expand": expand}).to_dict(),
        )
        return None if found is None else self._link(found)

    def active_products(self, products: Sequence[ProductId]) -> Iterator[objects.Product]:
        """Those of `products` that are active; lists may lag behind."""
        fetch = lister(self._client, "/v1/products")
        for start in range(0, len(products), PAGE):
            params: Json = {"ids": list(products[start : start + PAGE]), "active": True, "limit": PAGE}
            found = self._calls.read("GET products", partial(fetch, params))
            if found is None:
                raise StripeFailed("Stripe does not know its own products")
            yield from (objects.product(row) for row in found.rows)

    def product(self, product: str) -> objects.Product | None:
        """The product as it is now; None where there is none any more."""
        found = self._calls.read(
            "GET products/id", lambda: self._client.v1.products.retrieve(product).to_dict()
        )
        shown = None if found is None else objects.product(found)
        return None if shown is None or shown.deleted else shown

    def open_sessions(self, since: datetime) -> Iterator[list[CheckoutSession]]:
        """The pages of sessions made since `since` that can be paid, newest first; products are known by their ids."""
        params = {
            "created": {"gte": int(since.timestamp())},
            "status": "open",
            "limit": PAGE,
            "expand": ["data.line_items"],
        }
        for page in self._calls.pages("GET checkout/sessions", params, lister(self._client, _SESSIONS)):
            yield [objects.session(row, self._lines(_SESSIONS, row)) for row in page]

    def session_status(self, session: SessionId) -> str | None:
        """Whether the session is `open`, `complete` or `expired`; None where there is none."""
        found = self._calls.read(
            "GET checkout/sessions/id", lambda: self._client.v1.checkout.sessions.retrieve(session).to_dict()
        )
        return None if found is None else str(found.get("status"))

    def set_active(self, offer: Offer, thing: str, *, active: bool, key: str) -> WriteAnswer:
        """POST once under idempotency `key` whether it is on sale; raises an Outage where nothing was sent."""
        params: Any = {"active": active}
        links, products = self._client.v1.payment_links, self._client.v1.products
        update: Any = links.update if offer is Offer.LINK else products.update
        return self._answer(changing(offer), partial(update, thing, params, {"idempotency_key": key}))

    def expire(self, session: SessionId) -> WriteAnswer:
        """POST once that the session can't be paid any more; again it would be refused, so it needs no key of ours."""
        expire = partial(self._client.v1.checkout.sessions.expire, session)
        return self._answer(EXPIRING, expire)

    def keys_since(self, offer: Offer, thing: str, since: datetime) -> Iterator[str]:
        """The idempotency keys of the changes of `thing` since `since`, newest first; Stripe keeps 30 days."""
        params = {"type": _UPDATED[offer], "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        for page in self._calls.pages("GET events", params, lister(self._client, "/v1/events")):
            for event in page:
                key = part(event, "request").get("idempotency_key")
                if key and part(part(event, "data"), "object").get("id") == thing:
                    yield str(key)

    def _link(self, row: Json) -> PaymentLink:
        """Nobody has filled in the fields of a link."""
        shown = {"metadata": part(row, "metadata"), "custom_fields": row.get("custom_fields") or ()}
        return checked(PaymentLink, {**row, **shown, "lines": self._lines(_LINKS, row)})

    def _lines(self, path: str, row: Json) -> list[Json]:
        """The lines of a listed row: as they came with it, or page by page where they are more."""
        first = part(row, "line_items")
        lines: list[Json] = list(first.get("data") or [])
        if "line_items" not in row or first.get("has_more"):
            endpoint = f"GET {path.removeprefix('/v1/')}/id/line_items"
            fetch = lister(self._client, f"{path}/{quote(row['id'], safe='')}/line_items")
            lines = [line for page in self._calls.pages(endpoint, {"limit": PAGE}, fetch) for line in page]
        return [{**line, "price": _priced(line), "metadata": part(line, "metadata")} for line in lines]

    def _answer(self, endpoint: str, call: Any) -> WriteAnswer:  # noqa: ANN401 - the SDK's objects are not looked at
        try:
            self._calls.write(endpoint, call)
        except stripe.StripeError as error:
            shown = error.error
            kind, code = (getattr(shown, name, None) if shown else None for name in ("type", "code"))
            return classify(error.http_status, kind, code)
        return WriteAnswer(WriteResult.APPLIED)


EXPIRING: Final = "POST checkout/sessions/id/expire"


def changing(offer: Offer) -> str:
    """The endpoint that changes whether an offer is active."""
    return "POST payment_links/id" if offer is Offer.LINK else "POST products/id"


def _priced(line: Json) -> Json | None:
    """The line's price; its product is known by its id alone."""
    price = part(line, "price")
    product = price.get("product")
    return {**price, "product": {"id": product} if isinstance(product, str) else product} if price else None
