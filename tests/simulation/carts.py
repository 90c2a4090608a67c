"""What customers buy, and how they say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final

from shared.stripe_api.objects import CheckoutSession, CustomerDetails, LineItem, Price, Product
from shared.vocabulary import LineItemId, ProductId, SessionId, Size
from tests.simulation.memory_tables import EPOCH

SIZES: Final = (Size("S"), Size("M"))
SLANG: Final = {Size("S"): "small", Size("M"): "medium"}
"""What some sales call a size; people taught it as an alias of every product."""
MEANT: Final = {said: size for size, said in SLANG.items()}


@cache
def _price(product: ProductId) -> Price:
    """The price that names the product."""
    shown = Product.model_construct(id=product, deleted=False, metadata={})
    return Price.model_construct(id="price", active=False, metadata={}, product=shown)


@cache
def bought(line: LineItemId, units: int, said: str, product: ProductId) -> LineItem:
    """A paid line that says so of its size; nothing changes it."""
    return LineItem.model_construct(id=line, quantity=units, metadata={"size": said}, price=_price(product))


NOBODY: Final = CustomerDetails()
"""Of whom nothing is known; given to each session, because defaults are copied anew every time."""


@dataclass(frozen=True, slots=True)
class Line:
    """A paid line: units that must come off exactly once."""

    session: SessionId
    line: LineItemId
    product: ProductId
    size: Size
    units: int


def paid(number: int, lines: Sequence[LineItem]) -> CheckoutSession:
    """The session of the customer with this number, paid."""
    return CheckoutSession.model_construct(
        id=SessionId(f"cs_{number}"),
        livemode=False,
        payment_status="paid",
        status="complete",
        created=EPOCH + timedelta(seconds=number),
        metadata={},
        custom_fields=(),
        lines=tuple(lines),
        amount_total=None,
        customer=None,
        customer_details=NOBODY,
    )
