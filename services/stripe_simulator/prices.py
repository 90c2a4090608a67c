"""Prices of products."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from services.stripe_simulator import errors, events, ids, lists, metadata
from services.stripe_simulator.params import Params, flag, group, integer, required, text
from services.stripe_simulator.world import Call, Obj, World
from shared import clock


def build(params: Params, product: str, *, active: bool = True) -> Obj:
    """A price object of `product` from the parameters of its creation; the caller files it."""
    recurring = group(params, "recurring")
    amount, decimal = _amount(params)
    return {
        "id": ids.new("price"),
        "object": "price",
        "active": active,
        "billing_scheme": "per_unit",
        "created": clock.epoch(),
        "currency": required(params, "currency").lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": text(params, "lookup_key"),
        "metadata": metadata.merged({}, params),
        "nickname": text(params, "nickname"),
        "product": product,
        "recurring": _recurring(recurring) if recurring else None,
        "tax_behavior": text(params, "tax_behavior") or "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": decimal,
    }


def _amount(params: Params) -> tuple[int | None, str]:
    amount, decimal = integer(params, "unit_amount"), text(params, "unit_amount_decimal")
    if amount is not None:
        return amount, str(amount)
    if decimal is None:
        raise errors.missing_parameter("unit_amount")
    try:
        exact = Decimal(decimal)
    except InvalidOperation:
        raise errors.invalid(f"Invalid decimal: {decimal}", "unit_amount_decimal") from None
    return (int(exact) if exact == exact.to_integral_value() else None), decimal


def _recurring(params: Params) -> Obj:
    return {
        "interval": required(params, "interval"),
        "interval_count": integer(params, "interval_count") or 1,
        "meter": None,
        "usage_type": "licensed",
    }


def file(world: World, call: Call, price: Obj) -> None:
    """Put a new price into the account and say so."""
    world.prices[price["id"]] = price
    events.emit(world, call, "price.created", price)


def get(world: World, call: Call) -> Obj:
    """One price by id."""
    return world.get("prices", call.args[0])


def update(world: World, call: Call) -> Obj:
    """Change a price's metadata, nickname or whether it is active."""
    price = world.get("prices", call.args[0])
    new: Obj = {"metadata": metadata.merged(price["metadata"], call.params)}
    if (active := flag(call.params, "active")) is not None:
        new["active"] = active
    if "nickname" in call.params:
        new["nickname"] = text(call.params, "nickname")
    previous = {name: price[name] for name, value in new.items() if price[name] != value}
    price.update(new)
    if previous:
        events.emit(world, call, "price.updated", price, previous=previous)
    return price


def listing(world: World, call: Call) -> Obj:
    """Prices, newest first."""
    product, active = text(call.params, "product"), flag(call.params, "active")
    chosen = [
        price
        for price in world.prices.values()
        if product in {None, price["product"]} and active in {None, price["active"]}
    ]
    return lists.page("/v1/prices", chosen, call.params)
