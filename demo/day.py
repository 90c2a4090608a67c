"""What happens on the day: some 30 paid sessions in every dialect, and what usually goes wrong meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from demo.shop import Shop

SHIRT, JUMPER, SHOES, BELT, MUG = "Linen shirt", "Wool jumper", "Canvas shoes", "Leather belt", "Enamel mug"
RESTOCKED = (SHIRT, "XL", 25)  # what a person types while customers buy


@dataclass(slots=True)
class Day:
    """The day's book, kept by the one who plays it: units sold and restocked by (good, size)."""

    shop: Shop
    sold: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    restocked: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    sessions: int = 0

    def price_metadata(self, good: str, size: str, quantity: int) -> str:
        """One price per size: the price says which."""
        return self._note(
            self.shop.checkout([{"price": self.shop.prices[good, size], "quantity": quantity}]),
            (good, size, quantity),
        )

    def line_metadata(self, good: str, size: str, quantity: int) -> str:
        """Inline price of a catalogue product: the line says which size."""
        line = self._inline({"product": self.shop.products[good]}, quantity)
        return self._note(self.shop.checkout([{**line, "metadata": {"size": size}}]), (good, size, quantity))

    def manifest(self, *items: tuple[str, str, int]) -> str:
        """The manifest dialect: ad-hoc products in the lines, the catalogue's in the session's metadata."""
        lines = [self._inline({"product_data": {"name": f"{good} {size}"}}, n) for good, size, n in items]
        metadata = {
            key: value
            for n, (good, size, quantity) in enumerate(items, 1)
            for key, value in (
                (f"item_{n}_product_id", self.shop.products[good]),
                (f"item_{n}_size", size),
                (f"item_{n}_quantity", str(quantity)),
            )
        }
        return self._note(self.shop.checkout(lines, metadata), *items)

    def payment_link(self, good: str, size: str, quantity: int) -> str:
        """A payment link that asks for the size in a custom field."""
        options = [{"label": name, "value": name} for name in ("S", "M", "L")]
        price = self.shop.stripe.v1.prices.create(
            {"product": self.shop.products[good], "currency": "eur", "unit_amount": 8900}
        )
        wanted: Any = {
            "line_items": [{"price": price.id, "quantity": quantity}],
            "custom_fields": [
                {
                    "key": "size",
                    "label": {"type": "custom", "custom": "Size"},
                    "type": "dropdown",
                    "dropdown": {"options": options},
                }
            ],
        }
        link = self.shop.stripe.v1.payment_links.create(wanted)
        opened = self.shop.control(f"/_payment_links/{link.id}/checkout", {"fields": {"size": size}})
        return self._note(opened["id"], (good, size, quantity))

    def fault(self, kind: str, count: int, seconds: float = 1.0) -> None:
        """Something goes wrong with the next webhooks of paid sessions."""
        rule = {"kind": kind, "type": "checkout", "count": count, "seconds": seconds}
        self.shop.control("/_faults", rule)

    def restock(self) -> None:
        """A person types a delivery into the Dashboard, on top of what the page shows."""
        good, size, units = RESTOCKED
        body = {"relative": {f"stock_{size}": units}}
        self.shop.control(f"/_dashboard/products/{self.shop.products[good]}", body)
        self.restocked[good, size] += units

    def _inline(self, product: dict[str, Any], quantity: int) -> dict[str, Any]:
        return {"price_data": {"currency": "eur", "unit_amount": 4900, **product}, "quantity": quantity}

    def _note(self, session: str, *items: tuple[str, str, int]) -> str:
        self.sessions += 1
        for good, size, quantity in items:
            self.sold[good, size] += quantity
        return session


def play(day: Day) -> Iterator[str]:
    """Play the day; yields what happens, in words, before it does."""
    yield "Morning: customers buy in every way the shop's pages know"
    _morning(day)
    yield "A bank debit: the session is completed, but not paid yet"
    promised = day.price_metadata(SHOES, "41", 2)
    day.shop.pay(promised, "unpaid")
    yield "Stripe delivers the next four webhooks twice, and one some seconds late"
    _bad_connection(day)
    yield "A rush on the last jumpers in L, while a delivery of shirts is typed into the Dashboard"
    _rush(day)
    yield "Evening: the bank debit is paid, and a few last mugs are sold"
    day.shop.pay(promised, "async_succeed")
    for quantity in (1, 4):
        day.shop.pay(day.price_metadata(MUG, "", quantity))


def _morning(day: Day) -> None:
    pay = day.shop.pay
    for size, quantity in (("S", 1), ("M", 2), ("L", 1), ("M", 1), ("XL", 1)):
        pay(day.price_metadata(SHIRT, size, quantity))
    for size in ("40", "42", "43"):
        pay(day.line_metadata(SHOES, size, 1))
    pay(day.manifest((SHIRT, "M", 2), (MUG, "", 3)))
    pay(day.manifest((JUMPER, "S", 1), (SHOES, "41", 2), (BELT, "One size", 1)))
    for size in ("S", "M"):
        pay(day.payment_link(JUMPER, size, 1))
    for _ in range(3):
        pay(day.price_metadata(MUG, "", 2))


def _bad_connection(day: Day) -> None:
    pay = day.shop.pay
    day.fault("webhook_double", 4)
    for size in ("S", "L"):
        pay(day.price_metadata(SHIRT, size, 2))
    pay(day.line_metadata(SHOES, "42", 3))
    pay(day.manifest((BELT, "One size", 4), (MUG, "", 1)))
    day.fault("webhook_delay", 1, seconds=3)
    pay(day.price_metadata(BELT, "One size", 2))


def _rush(day: Day) -> None:
    pay = day.shop.pay
    for _ in range(2):
        pay(day.price_metadata(JUMPER, "L", 1))
    day.restock()
    for size in ("XL", "XL", "M"):
        pay(day.price_metadata(SHIRT, size, 1))
    pay(day.line_metadata(JUMPER, "L", 1))
