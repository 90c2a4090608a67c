"""Products: where shops keep their stock, in the metadata."""

from __future__ import annotations

from services.stripe_simulator import errors, events, ids, lists, metadata, prices
from services.stripe_simulator.params import Params, flag, group, refuse_unknown, required, rows, text, texts
from services.stripe_simulator.world import Call, Obj, World
from shared import clock

TEXTS = ("description", "statement_descriptor", "tax_code", "unit_label", "url")
FIELDS = frozenset(
    {
        *TEXTS,
        *("active", "default_price", "default_price_data", "expand", "id", "images", "marketing_features"),
        *("metadata", "name", "package_dimensions", "shippable", "type"),
    }
)


def build(params: Params, *, active: bool = True) -> Obj:
    """A product object from the parameters of its creation; the caller files it."""
    now = clock.epoch()
    chosen = flag(params, "active")
    return {
        "id": text(params, "id") or ids.new("prod"),
        "object": "product",
        "active": active if chosen is None else chosen,
        "created": now,
        "default_price": None,
        "images": texts(params, "images"),
        "livemode": False,
        "marketing_features": [{"name": text(row, "name")} for row in rows(params, "marketing_features")],
        "metadata": metadata.merged({}, params),
        "name": required(params, "name"),
        "package_dimensions": None,
        "shippable": flag(params, "shippable"),
        "type": "service",
        "updated": now,
        **{name: text(params, name) for name in TEXTS},
    }


def file(world: World, call: Call, product: Obj) -> None:
    """Put a new product into the account and say so; its numbers are what the shop intends to have."""
    world.products[product["id"]] = product
    world.oracle.intended(product["id"], product["metadata"], {})
    events.emit(world, call, "product.created", product)


def create(world: World, call: Call) -> Obj:
    """A new product, with its default price where one is asked for."""
    refuse_unknown(call.params, FIELDS)
    product = build(call.params)
    if product["id"] in world.products:
        raise errors.invalid(f"Product already exists: {product['id']}", "id", "resource_already_exists")
    file(world, call, product)
    if data := group(call.params, "default_price_data"):
        price = prices.build(data, product["id"])
        prices.file(world, call, price)
        product["default_price"] = price["id"]
    return product


def get(world: World, call: Call) -> Obj:
    """One product by id."""
    return world.get("products", call.args[0])


def listing(world: World, call: Call) -> Obj:
    """Products, newest first."""
    chosen_ids, active = texts(call.params, "ids"), flag(call.params, "active")
    chosen = [
        product
        for product in world.products.values()
        if (not chosen_ids or product["id"] in chosen_ids) and (active is None or active == product["active"])
    ]
    return lists.page("/v1/products", chosen, call.params)


def update(world: World, call: Call) -> Obj:
    """Change a product; a write without the keeper's marker is somebody's intention."""
    refuse_unknown(call.params, FIELDS - {"id"})
    product = world.get("products", call.args[0])
    changes = group(call.params, "metadata")
    kept = dict(product["metadata"])
    product = change(world, call, product, call.params)
    if call.key and "stock_rev" in changes:
        world.oracle.shown(product["id"], product["metadata"])
    else:
        seen = metadata.previous(kept, product["metadata"])
        world.oracle.intended(product["id"], product["metadata"], {k: v or "" for k, v in seen.items()})
    return product


def change(world: World, call: Call | None, product: Obj, params: Params) -> Obj:
    """Apply `params` to the product; an event says what changed, and none comes where nothing did."""
    new: Obj = {name: text(params, name) for name in TEXTS if name in params}
    new |= {name: text(params, name) for name in ("name", "default_price") if text(params, name)}
    new |= {name: flag(params, name) for name in ("active", "shippable") if flag(params, name) is not None}
    if "images" in params:
        new["images"] = texts(params, "images")
    new["metadata"] = metadata.merged(product["metadata"], params)
    previous: Obj = {name: product[name] for name, value in new.items() if product[name] != value}
    if not previous:
        return product
    if "metadata" in previous:
        previous["metadata"] = metadata.previous(product["metadata"], new["metadata"])
    now = clock.epoch()
    if product["updated"] != now:
        previous["updated"] = product["updated"]
    product.update(new, updated=now)
    events.emit(world, call, "product.updated", product, previous=previous)
    return product


def delete(world: World, call: Call) -> Obj:
    """Delete a product that has no prices."""
    product = world.get("products", call.args[0])
    if any(price["product"] == product["id"] for price in world.prices.values()):
        raise errors.invalid(
            "This product cannot be deleted because it has one or more user-created prices.", "id"
        )
    return remove(world, call, product)


def remove(world: World, call: Call | None, product: Obj) -> Obj:
    """Delete a product whatever hangs on it."""
    del world.products[product["id"]]
    world.deleted.add(product["id"])
    world.oracle.removed(product["id"])
    events.emit(world, call, "product.deleted", product)
    return {"id": product["id"], "object": "product", "deleted": True}
