"""Line items of checkout sessions and payment links."""

from __future__ import annotations

from services.stripe_simulator import catalogue, errors, ids, lists, metadata
from services.stripe_simulator.params import Params, flag, group, integer, rows, text
from services.stripe_simulator.world import Call, Obj, World

MAX_LINES = 100
MAX_QUANTITY = 999_999


def build(world: World, call: Call) -> list[Obj]:
    """The line items that `line_items` describes; inline prices and products come into being with them."""
    wanted = rows(call.params, "line_items")
    if len(wanted) > MAX_LINES:
        raise errors.invalid(f"You may pass up to {MAX_LINES} line items.", "line_items")
    return [_line(world, call, row, f"line_items[{index}]") for index, row in enumerate(wanted)]


def _line(world: World, call: Call, row: Params, at: str) -> Obj:
    quantity = integer(row, "quantity")
    if quantity is None or not 0 < quantity <= MAX_QUANTITY:
        raise errors.invalid("This value must be greater than or equal to 1.", f"{at}[quantity]")
    price = _price(world, call, row, at)
    item: Obj = {
        "id": ids.new("li"),
        "object": "item",
        "adjustable_quantity": _adjustable(group(row, "adjustable_quantity")),
        "amount_discount": 0,
        "amount_tax": 0,
        "currency": price["currency"],
        "description": world.products[price["product"]]["name"],
        "metadata": metadata.merged({}, row),
        "price": price,
    }
    return counted(item, quantity)


def _price(world: World, call: Call, row: Params, at: str) -> Obj:
    if data := group(row, "price_data"):
        return catalogue.price(world, call, data, active=False)
    identity = text(row, "price")
    if identity is None:
        raise errors.missing_parameter(f"{at}[price]")
    price = world.named("prices", identity, f"{at}[price]")
    if not price["active"] or price["product"] not in world.products:
        raise errors.invalid("The price specified is inactive.", f"{at}[price]")
    return price


def _adjustable(params: Params) -> Obj | None:
    if not flag(params, "enabled"):
        return None
    return {
        "enabled": True,
        "maximum": integer(params, "maximum") or 99,
        "minimum": integer(params, "minimum") or 0,
    }


def counted(item: Obj, quantity: int) -> Obj:
    """`item` with this quantity and the amounts that follow from it."""
    amount = (item["price"]["unit_amount"] or 0) * quantity
    return {**item, "quantity": quantity, "amount_subtotal": amount, "amount_total": amount}


def listing(world: World, call: Call) -> Obj:
    """The line items of a session or payment link, in the order of the cart."""
    owner = call.args[0]
    table = "links" if owner.startswith("plink_") else "sessions"
    world.get(table, owner)
    return page(world, owner, call.params)


def page(world: World, owner: str, params: Params) -> Obj:
    """One page of the line items of `owner`."""
    path = "payment_links" if owner.startswith("plink_") else "checkout/sessions"
    rows_of = world.line_items.get(owner, [])
    # Line items have no `created`, and Stripe lists them as the cart does.
    return lists.page(f"/v1/{path}/{owner}/line_items", rows_of, params, newest_first=False)
