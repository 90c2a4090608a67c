"""How products and prices come into being together: inline by a checkout session, or one with the other."""

from __future__ import annotations

from services.stripe_simulator import prices, products
from services.stripe_simulator.params import Params, group, required
from services.stripe_simulator.world import Call, Obj, World


def create_price(world: World, call: Call) -> Obj:
    """A new price of a product that exists, or of one made with it."""
    return price(world, call, call.params)


def price(world: World, call: Call, params: Params, *, active: bool = True) -> Obj:
    """A filed price of the product that `params` name in `product` or describe in `product_data`."""
    data = group(params, "product_data")
    if data:
        product = products.build(data, active=active)
        made = prices.build(params, product["id"], active=active)
        products.file(world, call, product)
    else:
        product = world.named("products", required(params, "product"), "product")
        made = prices.build(params, product["id"], active=active)
    prices.file(world, call, made)
    return made
