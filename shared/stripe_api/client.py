"""Stripe over HTTP with the SDK: the reads and the one write that keeping stock needs."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import stripe

from shared.settings import StripeSettings
from shared.stripe_api import objects
from shared.stripe_api.answers import (
    StripeFailed,
    StripeRefused,
    StripeUnavailable,
    WriteAnswer,
    WriteResult,
    classify,
)
from shared.stripe_api.governor import Governor
from shared.vocabulary import ProductId, SessionId

CONNECT_TIMEOUT: Final = 3.0
READ_TIMEOUT: Final = 25.0
PAGE: Final = 100
SIMULATOR_KEY: Final = "sk_test_simulator"
SIMULATOR_BASE: Final = "http://127.0.0.1:12111"
NOT_FOUND: Final = 404
TOO_MANY: Final = 429
OWN_ERROR: Final = 500


class StripeApi:
    """One account's API. Reads raise Outage or StripeFailed; the write answers with a value, never raises."""

    def __init__(
        self,
        key: str,
        base: str | None = None,
        *,
        governor: Governor | None = None,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        """Talk to Stripe, or to `base` (`http://host:port`), with `key`, no faster than `governor` lets."""
        self._governor = governor or Governor(per_endpoint=1000, overall=1000)
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": base} if base else None,
            max_network_retries=2,
            http_client=stripe.RequestsClient(timeout=(CONNECT_TIMEOUT, read_timeout)),
        )

    def product(self, product: ProductId) -> objects.Product | None:
        """The product by id, a `deleted` one as such; None where there is none."""
        with _reading():
            self._governor.wait("GET products/id")
            try:
                found = self._client.v1.products.retrieve(product)
            except stripe.InvalidRequestError as error:
                if error.http_status == NOT_FOUND:
                    return None
                raise
            return objects.product(found.to_dict())

    def checkout_session(self, session: SessionId) -> objects.CheckoutSession | None:
        """The session with all of its lines; None where there is none."""
        with _reading():
            self._governor.wait("GET checkout/sessions/id")
            try:
                found = self._client.v1.checkout.sessions.retrieve(
                    session, {"expand": ["line_items.data.price.product"]}
                ).to_dict()
            except stripe.InvalidRequestError as error:
                if error.http_status == NOT_FOUND:
                    return None
                raise
            first = objects.part(found, "line_items")
            lines = list(first.get("data") or [])
            return objects.session(found, [*lines, *self._more_lines(session, first, lines)])

    def product_updates(self, product: ProductId, since: datetime) -> Iterator[objects.ProductUpdate]:
        """The product's `product.updated` events since `since`, oldest first (Stripe keeps 30 days)."""
        with _reading():
            self._governor.wait("GET events")
            found = self._client.v1.events.list(
                {"type": "product.updated", "created": {"gte": int(since.timestamp())}, "limit": PAGE}
            )
            events = [event.to_dict() for event in found.auto_paging_iter()]
        updates = (objects.product_update(event) for event in reversed(events))
        return (update for update in updates if update.product == product)

    def write_metadata(self, product: ProductId, body: Mapping[str, str], key: str) -> WriteAnswer:
        """POST `body` (may be empty: a fence) as the product's metadata under idempotency `key`, once."""
        self._governor.wait("POST products/id")
        try:
            answer = self._client.v1.products.update(
                product,
                {"metadata": dict(body)} if body else {},
                {"idempotency_key": key, "max_network_retries": 0},
            )
        except stripe.StripeError as error:
            return classify(error.http_status, *_type_and_code(error))
        return WriteAnswer(WriteResult.APPLIED, metadata=objects.product(answer.to_dict()).metadata)

    def _more_lines(
        self, session: SessionId, first: dict[str, Any], lines: list[dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        if not (first.get("has_more") and lines):
            return
        self._governor.wait("GET checkout/sessions/id/line_items")
        rest = self._client.v1.checkout.sessions.line_items.list(
            session, {"limit": PAGE, "starting_after": lines[-1]["id"], "expand": ["data.price.product"]}
        )
        yield from (line.to_dict() for line in rest.auto_paging_iter())


def connect(settings: StripeSettings) -> StripeApi:
    """The API that `settings` name: Stripe, or the simulator where no key is set."""
    governor = Governor(settings.stripe_calls_per_endpoint, settings.stripe_calls)
    if settings.stripe_api_key is None:
        return StripeApi(SIMULATOR_KEY, settings.stripe_api_base or SIMULATOR_BASE, governor=governor)
    key = settings.stripe_api_key.get_secret_value()
    return StripeApi(key, settings.stripe_api_base, governor=governor)


@contextmanager
def _reading() -> Generator[None]:
    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise StripeRefused(f"Stripe refused the API key ({error.http_status})") from None
    except stripe.APIConnectionError:
        raise StripeUnavailable("Stripe can't be reached") from None
    except stripe.StripeError as error:
        if error.http_status == TOO_MANY:
            raise StripeUnavailable("Stripe asks for fewer requests (429)") from None
        raise StripeFailed(f"Stripe answered {error.http_status} ({type(error).__name__})") from None


def _type_and_code(error: stripe.StripeError) -> tuple[str | None, str | None]:
    shown = error.error
    return (getattr(shown, "type", None), getattr(shown, "code", None)) if shown is not None else (None, None)
