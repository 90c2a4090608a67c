"""The parts of Stripe's objects that stock needs, as frozen values; field names are Stripe's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, TypeVar, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.vocabulary import EventId, LineItemId, ProductId, SessionId

COMPLETED: Final = "checkout.session.completed"
PAID_LATER: Final = "checkout.session.async_payment_succeeded"


class SurprisingAnswer(Exception):
    """Stripe's answer lacks what its documentation promises; the text names fields, never their contents."""


class StripeValue(BaseModel):
    """A read-only part of one of Stripe's objects."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


V = TypeVar("V", bound=StripeValue)


class Product(StripeValue):
    """A product; `deleted` ones carry nothing else."""

    id: ProductId
    name: str = ""
    active: bool = True
    deleted: bool = False
    metadata: dict[str, str] = Field(default_factory=dict)
    updated: AwareDatetime | None = None  # by Stripe's clock, in whole seconds


class Amount(StripeValue):
    """What a price asks, in the currency's smallest unit; both None where the customer or a tier decides."""

    currency: str
    unit_amount: int | None = None
    unit_amount_decimal: Decimal | None = None


class ListedProduct(Product):
    """A product as a list shows it; `default_price` only where it was asked for and there is one."""

    default_price: Amount | None = None


class Price(StripeValue):
    """A price, its product expanded; inline prices (`price_data`) are not active."""

    id: str
    active: bool = True
    metadata: dict[str, str] = Field(default_factory=dict)
    product: Product


class LineItem(StripeValue):
    """One line of a Checkout Session as it was finally paid."""

    id: LineItemId
    description: str | None = None
    quantity: int | None = None
    amount_total: int | None = None
    """What was paid for it, in the currency's smallest unit."""
    metadata: dict[str, str] = Field(default_factory=dict)
    price: Price | None = None

    @property
    def name(self) -> str:
        """What it was called when it was sold."""
        return self.description or (self.price.product.name if self.price else "")


class CustomField(StripeValue):
    """An answer the customer gave; `value` is None where the field was left empty."""

    key: str
    value: str | None = None


class CustomerDetails(StripeValue):
    """What a customer told of themselves; shown by no repr."""

    name: str | None = Field(default=None, repr=False)
    email: str | None = Field(default=None, repr=False)


class CheckoutSession(StripeValue):
    """A Checkout Session with all of its lines."""

    id: SessionId
    livemode: bool
    payment_status: str
    status: str | None = None
    created: AwareDatetime
    amount_total: int | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    custom_fields: tuple[CustomField, ...] = ()
    lines: tuple[LineItem, ...] = ()
    customer: str | None = None
    customer_details: CustomerDetails = CustomerDetails()

    @property
    def paid(self) -> bool:
        """Whether the sale counts: paid, or nothing was to pay."""
        return self.payment_status in {"paid", "no_payment_required"}


class PaymentLink(StripeValue):
    """A payment link with all of its lines; of their products only the ids are told."""

    id: str
    active: bool
    metadata: dict[str, str] = Field(default_factory=dict)
    custom_fields: tuple[CustomField, ...] = ()
    lines: tuple[LineItem, ...] = ()


class ListedSession(StripeValue):
    """A completed Checkout Session as a list shows it, without its lines."""

    id: SessionId
    created: AwareDatetime
    payment_status: str

    @property
    def paid(self) -> bool:
        """Whether the sale counts: paid, or nothing was to pay."""
        return self.payment_status != "unpaid"


class PaidEvent(StripeValue):
    """An event that tells of a paid session, and whether it is `delivered` to all who want it."""

    id: EventId
    type: str
    created: AwareDatetime
    session: SessionId
    delivered: bool


class ProductUpdate(StripeValue):
    """One `product.updated` event: the metadata after it, and what it replaced (None: key was absent)."""

    event: EventId
    product: ProductId
    created: AwareDatetime  # by Stripe's clock, in whole seconds
    idempotency_key: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    previous_metadata: dict[str, str | None] = Field(default_factory=dict)


def product(data: dict[str, Any]) -> Product:
    """A product from Stripe's JSON; raises SurprisingAnswer."""
    return checked(Product, data)


def listed_product(data: dict[str, Any]) -> ListedProduct:
    """A product from Stripe's JSON, its default price expanded or left out; raises SurprisingAnswer."""
    price = data.get("default_price")
    return checked(ListedProduct, {**data, "default_price": price if isinstance(price, dict) else None})


def session(data: dict[str, Any], lines: list[dict[str, Any]]) -> CheckoutSession:
    """A session and its `lines` (price.product expanded) from Stripe's JSON; raises SurprisingAnswer."""
    asked = cast("list[dict[str, Any]]", data.get("custom_fields") or [])
    fields = [{"key": field.get("key"), "value": _answer(field)} for field in asked]
    shown = [{**line, "metadata": part(line, "metadata")} for line in lines]
    return checked(
        CheckoutSession,
        {
            **data,
            "metadata": part(data, "metadata"),
            "custom_fields": fields,
            "lines": shown,
            "customer": _text_of(data, "customer"),
            "customer_details": _details(data),
        },
    )


def _details(data: dict[str, Any]) -> dict[str, str | None]:
    """No sale may fail because of them: what is no text is left out."""
    details: Any = data.get("customer_details")
    told: dict[str, Any] = cast("dict[str, Any]", details) if isinstance(details, dict) else {}
    return {name: _text_of(told, name) for name in ("name", "email")}


def _text_of(data: dict[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None


def product_update(event: dict[str, Any]) -> ProductUpdate:
    """A `product.updated` event from Stripe's JSON; raises SurprisingAnswer."""
    data = part(event, "data")
    changed = part(data, "object")
    return checked(
        ProductUpdate,
        {
            "event": event.get("id"),
            "product": changed.get("id"),
            "created": event.get("created"),
            "idempotency_key": part(event, "request").get("idempotency_key"),
            "metadata": part(changed, "metadata"),
            "previous_metadata": part(part(data, "previous_attributes"), "metadata"),
        },
    )


def listed_session(row: dict[str, Any]) -> ListedSession:
    """A session of a list from Stripe's JSON; raises SurprisingAnswer."""
    return checked(ListedSession, row)


def paid_event(event: dict[str, Any]) -> PaidEvent | None:
    """An event of a session that is paid from Stripe's JSON, None for one that is not; raises SurprisingAnswer."""
    session = part(part(event, "data"), "object")
    if session.get("payment_status") == "unpaid" and event.get("type") == COMPLETED:
        return None
    return checked(
        PaidEvent,
        {**event, "session": session.get("id"), "delivered": event.get("pending_webhooks") == 0},
    )


def part(data: dict[str, Any], key: str) -> dict[str, Any]:
    """The object under `key`; empty where it is null or absent."""
    return cast("dict[str, Any]", data.get(key) or {})


def _answer(field: dict[str, Any]) -> str | None:
    kind = field.get("type")
    return part(field, kind).get("value") if isinstance(kind, str) else None


def checked(model: type[V], data: dict[str, Any]) -> V:
    """`data` as a `model`; raises SurprisingAnswer."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        where = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors()[:5])
        raise SurprisingAnswer(f"{model.__name__}: {where}") from None
