"""Paid sessions as Stripe shows them, made in one line each."""

from __future__ import annotations

from datetime import UTC, datetime

from services.stock_worker.sales import Catalogue, Shelf
from shared.stripe_api.objects import CheckoutSession, CustomField, LineItem, Price, Product
from shared.vocabulary import PLAIN, AccountKey, LineItemId, ProductId, SessionId, Size

ACCOUNT = AccountKey("self:test")
SHIRT = ProductId("prod_shirt")
MUG = ProductId("prod_mug")
BELT = ProductId("prod_belt")
GIFT = ProductId("prod_gift")
GONE = ProductId("prod_gone")
AD_HOC = ProductId("prod_inline")

CATALOGUE: Catalogue = {
    SHIRT: Shelf(frozenset({Size("S"), Size("M"), Size("L")})),
    MUG: Shelf(frozenset({PLAIN})),
    BELT: Shelf(frozenset({Size("One")})),
    GIFT: Shelf(tracked=False),
    GONE: Shelf(closed=True),
    AD_HOC: Shelf(tracked=False),
}


def line(
    product: ProductId,
    quantity: int | None = 1,
    *,
    size: str | None = None,
    price_size: str | None = None,
    ad_hoc: bool = False,
    id_: str = "li_1",
) -> LineItem:
    """One line of a session."""
    price = Price(
        id="price_1",
        active=not ad_hoc,
        metadata={"size": price_size} if price_size else {},
        product=Product(id=product, active=not ad_hoc),
    )
    metadata = {"size": size} if size else {}
    return LineItem(id=LineItemId(id_), quantity=quantity, metadata=metadata, price=price)


def session(*lines: LineItem, custom_size: str | None = None, **metadata: str) -> CheckoutSession:
    """A paid session of `lines`, each given an id of its own."""
    numbered = tuple(value.model_copy(update={"id": f"li_{n}"}) for n, value in enumerate(lines, 1))
    fields = (CustomField(key="size", value=custom_size),) if custom_size else ()
    return CheckoutSession(
        id=SessionId("cs_test_1"),
        livemode=False,
        payment_status="paid",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        metadata=metadata,
        custom_fields=fields,
        lines=numbered,
    )


def manifest(*entries: tuple[str, str, str]) -> dict[str, str]:
    """Session metadata in the manifest dialect: (product, size, quantity) for each item."""
    return {
        key: value
        for n, (product, size, quantity) in enumerate(entries, 1)
        for key, value in (
            (f"item_{n}_product_id", product),
            (f"item_{n}_size", size),
            (f"item_{n}_quantity", quantity),
        )
    }
