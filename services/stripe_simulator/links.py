"""Payment links: a cart that anybody with the address can pay for."""

from __future__ import annotations

from services.stripe_simulator import errors, events, ids, lines, lists, metadata, shapes
from services.stripe_simulator.custom_fields import build as custom_fields
from services.stripe_simulator.params import flag, text, texts
from services.stripe_simulator.world import Call, Obj, World


def create(world: World, call: Call) -> Obj:
    """A new active payment link."""
    items = lines.build(world, call)
    if not items:
        raise errors.missing_parameter("line_items")
    link = _build(call, items)
    world.links[link["id"]] = link
    world.line_items[link["id"]] = items
    events.emit(world, call, "payment_link.created", link)
    return link


def _build(call: Call, items: list[Obj]) -> Obj:
    identity = ids.new("plink")
    nothing = shapes.nulls(
        "application application_fee_amount application_fee_percent consent_collection"
        " inactive_message invoice_creation on_behalf_of payment_intent_data restrictions"
        " shipping_address_collection subscription_data transfer_data"
    )
    return nothing | {
        "id": identity,
        "object": "payment_link",
        "active": True,
        "after_completion": {"hosted_confirmation": {"custom_message": None}, "type": "hosted_confirmation"},
        "allow_promotion_codes": False,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_address_collection": "auto",
        "currency": items[0]["currency"],
        "custom_fields": custom_fields(call.params),
        "custom_text": shapes.custom_text(),
        "customer_creation": "if_required",
        "livemode": False,
        "metadata": metadata.merged({}, call.params),
        "payment_method_collection": "always",
        "payment_method_types": texts(call.params, "payment_method_types") or None,
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "submit_type": text(call.params, "submit_type") or "auto",
        "tax_id_collection": {"enabled": False, "required": "never"},
        "url": f"https://buy.stripe.com/test_{identity.partition('_')[2]}",
    }


def get(world: World, call: Call) -> Obj:
    """One payment link by id."""
    return world.get("links", call.args[0])


def update(world: World, call: Call) -> Obj:
    """Change a link's metadata or whether it is active."""
    link = world.get("links", call.args[0])
    link["metadata"] = metadata.merged(link["metadata"], call.params)
    if (active := flag(call.params, "active")) is not None:
        link["active"] = active
    events.emit(world, call, "payment_link.updated", link)
    return link


def listing(world: World, call: Call) -> Obj:
    """Payment links, newest first."""
    active = flag(call.params, "active")
    chosen = [link for link in world.links.values() if active in {None, link["active"]}]
    # Payment links carry no `created`; Stripe lists them without that filter.
    return lists.page("/v1/payment_links", chosen, call.params)
