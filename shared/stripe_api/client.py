"""Stripe over HTTP with the SDK: the reads and the one write that keeping stock needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from threading import Event
from typing import Any, Final

import stripe

from shared.settings import StripeSettings
from shared.stripe_api import money_back, objects
from shared.stripe_api.answers import WRITING, LostCursor, WriteAnswer, WriteResult, classify
from shared.stripe_api.calls import Calls
from shared.stripe_api.catalogue import Span, walk
from shared.stripe_api.events import Events, Json
from shared.stripe_api.governor import Governor
from shared.stripe_api.lists import Page, lister
from shared.stripe_api.pace import Limits, Pace
from shared.stripe_api.selling import Selling
from shared.stripe_api.sessions import SessionAnswer, Sessions
from shared.vocabulary import EventId, ProductId, RefundId, SessionId

CONNECT_TIMEOUT: Final = 3.0
READ_TIMEOUT: Final = 25.0
PAGE: Final = 100
SIMULATOR_KEY: Final = "sk_test_simulator"
SIMULATOR_BASE: Final = "http://127.0.0.1:12111"


class StripeApi:
    """One account's API. Reads raise Outage or StripeFailed; a write answers with a value once it was sent."""

    def __init__(
        self,
        key: str,
        base: str | None = None,
        *,
        pace: Pace | None = None,
        stop: Event | None = None,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        """Talk to Stripe, or to `base` (`http://host:port`), with `key`, whenever `pace` says so.

        Without a `pace` nothing slows calls but Stripe itself. Once `stop` is set nobody waits for a turn.
        """
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": base} if base else None,
            max_network_retries=0,  # each try takes a turn of its own
            http_client=stripe.RequestsClient(timeout=(CONNECT_TIMEOUT, read_timeout)),
        )
        self._calls = Calls(pace or Governor(), stop or Event())
        self._sessions = Sessions(self._client, self._calls)
        self._events = Events(self._client, self._calls)
        self._list_products = lister(self._client, "/v1/products")
        self.selling: Final = Selling(self._client, self._calls)
        """What is offered for sale, and taking it off sale."""

    def product(self, product: ProductId) -> objects.Product | None:
        """The product by id, a `deleted` one as such; None where there is none."""
        found = self._calls.read(
            "GET products/id", lambda: self._client.v1.products.retrieve(product).to_dict()
        )
        return None if found is None else objects.product(found)

    def products(self) -> Iterator[list[objects.Product]]:
        """All products, archived ones too, page by page in no order; raises Outage, StripeFailed, LostCursor.

        Lists may lag behind: they tell where to look, and a product by id what is true.
        """
        return ([objects.product(row) for row in page] for page in walk(self._product_page))

    def _product_page(self, span: Span) -> Page:
        bounds = {"gte": span.oldest, **({} if span.newest is None else {"lte": span.newest})}
        params: dict[str, Any] = {"limit": PAGE, "created": bounds}
        if span.after is not None:
            params["starting_after"] = span.after
        page = self._calls.read("GET products", lambda: self._list_products(params))
        if page is None:
            raise LostCursor("what the list was to go on after is gone")
        return page

    def checkout_session(self, session: SessionId) -> objects.CheckoutSession | None:
        """The session with all of its lines; None where there is none."""
        return self._sessions.one(session)

    def checkout_sessions(self, wanted: Mapping[SessionId, datetime]) -> dict[SessionId, SessionAnswer]:
        """Each of the `wanted` sessions, or why it could not be read, in few calls; raises Outage.

        `wanted` says when the event was made that told of the session.
        """
        return self._sessions.many(wanted)

    def paid_sessions(self, since: datetime) -> Iterator[tuple[SessionId, datetime]]:
        """(id, when it was made) of the paid sessions made since `since`, newest first; a call for each page."""
        return self._sessions.paid_since(since)

    def refund(self, refund: RefundId) -> money_back.Refund | None:
        """The refund by id, and whether its charge was disputed; None where there is none."""
        found = self._calls.read(
            "GET refunds/id",
            lambda: self._client.v1.refunds.retrieve(refund, {"expand": ["charge"]}).to_dict(),
        )
        return None if found is None else money_back.refund(found)

    def refunds_of(self, payment_intent: str) -> list[money_back.Refund]:
        """Every refund of a payment, newest first."""
        params = {"payment_intent": payment_intent, "limit": PAGE}
        pages = self._calls.pages("GET refunds", params, lister(self._client, "/v1/refunds"))
        return [money_back.refund(row) for page in pages for row in page]

    def dispute(self, dispute: RefundId) -> money_back.Dispute | None:
        """The dispute by id; None where there is none."""
        found = self._calls.read(
            "GET disputes/id", lambda: self._client.v1.disputes.retrieve(dispute).to_dict()
        )
        return None if found is None else money_back.dispute(found)

    def disputes_of(self, payment_intent: str) -> list[money_back.Dispute]:
        """Every dispute of a payment, newest first."""
        params = {"payment_intent": payment_intent, "limit": PAGE}
        pages = self._calls.pages("GET disputes", params, lister(self._client, "/v1/disputes"))
        return [money_back.dispute(row) for page in pages for row in page]

    def session_of_payment(self, payment_intent: str) -> objects.CheckoutSession | None:
        """The session with all of its lines that was paid so; None where the payment came another way."""
        return self._sessions.of_payment(payment_intent)

    def completed_sessions(self, since: datetime) -> Iterator[list[objects.ListedSession]]:
        """The pages of completed sessions made since `since`, newest first, unpaid ones too; a call for each."""
        return self._sessions.completed_since(since)

    def undelivered_events(self, since: datetime, until: datetime) -> Iterator[list[Json]]:
        """Webhook events from `since` to `until` that some endpoint has not taken, as JSON, oldest first, in lists."""
        return self._events.undelivered(since, until)

    def paid_events(self, since: datetime) -> Iterator[list[objects.PaidEvent]]:
        """Events since `since` that tell of paid sessions, newest first; a call for each list."""
        return self._events.paid(since)

    def late_events(self, since: datetime) -> Iterator[Sequence[Json]]:
        """Events since `since` of delayed payments, refunds, disputes, as JSON, newest first; a call for each list."""
        return self._events.late(since)

    def newest_events(
        self, since: datetime, types: Sequence[str], *, owed: bool = False
    ) -> Iterator[Sequence[Json]]:
        """Events of these types since `since`, as JSON, newest first, a call for each list.

        Only those `owed` to some endpoint, or all.
        """
        return self._events.newest(since, types, owed=owed)

    def event(self, event: EventId) -> Json | None:
        """The event by id, as JSON; None where Stripe knows none, or none any more (it keeps 30 days)."""
        return self._events.one(event)

    def catalogue(self, *, prices: bool = False) -> Iterator[objects.ListedProduct]:
        """Every product, newest first, with its default price if `prices`; a call for each page.

        Raises Outage, StripeFailed, SurprisingAnswer.
        """
        params: Json = {"limit": PAGE, **({"expand": ["data.default_price"]} if prices else {})}
        for page in self._calls.pages("GET products", params, self._list_products):
            yield from (objects.listed_product(row) for row in page)

    def product_updates(self, product: ProductId, since: datetime) -> Iterator[objects.ProductUpdate]:
        """The product's `product.updated` events since `since`, oldest first (Stripe keeps 30 days)."""
        params = {"type": "product.updated", "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        pages = self._calls.pages("GET events", params, lister(self._client, "/v1/events"))
        # Others' events are not even understood: there are many, and one that surprises concerns nobody here.
        events = [event for page in pages for event in page if _about(event) == product]
        return (objects.product_update(event) for event in reversed(events))

    def write_metadata(self, product: ProductId, body: Mapping[str, str], key: str) -> WriteAnswer:
        """POST `body` (may be empty: a fence) as the product's metadata under idempotency `key`, once.

        Raises an Outage where it got no turn: then nothing was sent.
        """
        try:
            answer = self._calls.write(
                WRITING,
                lambda: self._client.v1.products.update(
                    product, {"metadata": dict(body)} if body else {}, {"idempotency_key": key}
                ),
            )
        except stripe.StripeError as error:
            return classify(error.http_status, *_type_and_code(error))
        return WriteAnswer(WriteResult.APPLIED, metadata=objects.product(answer.to_dict()).metadata)


def connect(settings: StripeSettings, pace: Pace | None = None, stop: Event | None = None) -> StripeApi:
    """The API that `settings` name: Stripe, or the simulator where no key is set.

    Without a `pace` this process keeps the limits by itself, as if it had the account for itself.
    """
    pace = pace or Governor(limits(settings))
    if settings.stripe_api_key is None:
        return StripeApi(SIMULATOR_KEY, settings.stripe_api_base or SIMULATOR_BASE, pace=pace, stop=stop)
    key = settings.stripe_api_key.get_secret_value()
    return StripeApi(key, settings.stripe_api_base, pace=pace, stop=stop)


def limits(settings: StripeSettings) -> Limits:
    """The limits that `settings` set for all callers of the account together."""
    return Limits(settings.stripe_calls_per_endpoint, settings.stripe_calls)


def _about(event: Json) -> str | None:
    """The id of what the event happened to."""
    return objects.part(objects.part(event, "data"), "object").get("id")


def _type_and_code(error: stripe.StripeError) -> tuple[str | None, str | None]:
    shown = error.error
    return (getattr(shown, "type", None), getattr(shown, "code", None)) if shown is not None else (None, None)
