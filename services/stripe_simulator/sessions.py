"""Checkout sessions: made by the shop, listed, expired."""

from __future__ import annotations

from services.stripe_simulator import errors, events, ids, lines, lists, metadata, shapes
from services.stripe_simulator.custom_fields import build as custom_fields
from services.stripe_simulator.params import Params, integer, required, text, texts
from services.stripe_simulator.world import Call, Obj, World
from shared import clock

LIFETIME = 24 * 3600  # seconds
MODES = ("payment", "setup", "subscription")


def create(world: World, call: Call) -> Obj:
    """A new open session."""
    mode = required(call.params, "mode")
    if mode not in MODES:
        raise errors.invalid(f"Invalid mode: must be one of {', '.join(MODES)}", "mode")
    items = lines.build(world, call)
    if not items and mode != "setup":
        raise errors.missing_parameter("line_items")
    session = build(call.params, items) | {
        "mode": mode,
        "metadata": metadata.merged({}, call.params),
        "custom_fields": custom_fields(call.params),
        "payment_method_types": texts(call.params, "payment_method_types") or ["card"],
    }
    return file(world, session, items)


def file(world: World, session: Obj, items: list[Obj]) -> Obj:
    """Put a session and its line items into the account."""
    world.sessions[session["id"]] = session
    world.line_items[session["id"]] = items
    return session


def build(params: Params, items: list[Obj]) -> Obj:
    """A session object with every field Stripe always sends."""
    identity, now = ids.new("cs_test"), clock.epoch()
    nothing = shapes.nulls(
        "adaptive_pricing after_expiration allow_promotion_codes billing_address_collection"
        " client_secret collected_information consent consent_collection currency_conversion"
        " customer_creation customer_details customer_email invoice locale origin_context"
        " payment_intent payment_link payment_method_configuration_details permissions"
        " recovered_from saved_payment_method_options setup_intent shipping_address_collection"
        " shipping_cost submit_type subscription wallet_options"
    )
    return nothing | {
        "id": identity,
        "object": "checkout.session",
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": text(params, "cancel_url"),
        "client_reference_id": text(params, "client_reference_id"),
        "customer": text(params, "customer"),
        "created": now,
        "currency": items[0]["currency"] if items else None,
        "custom_text": shapes.custom_text(),
        "discounts": [],
        "expires_at": integer(params, "expires_at") or now + LIFETIME,
        "livemode": False,
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "success_url": text(params, "success_url"),
        "ui_mode": "hosted_page",
        "url": f"https://checkout.stripe.com/c/pay/{identity}",
        **amounts(items),
    }


def amounts(items: list[Obj]) -> Obj:
    """A session's totals."""
    total = sum(item["amount_total"] for item in items)
    details = {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
    return {"amount_subtotal": total, "amount_total": total, "total_details": details}


def get(world: World, call: Call) -> Obj:
    """One session by id."""
    return world.get("sessions", call.args[0])


def update(world: World, call: Call) -> Obj:
    """Change a session's metadata."""
    session = world.get("sessions", call.args[0])
    session["metadata"] = metadata.merged(session["metadata"], call.params)
    return session


def listing(world: World, call: Call) -> Obj:
    """Sessions, newest first."""
    names = ("status", "payment_link", "payment_intent", "customer", "subscription")
    asked = {name: value for name in names if (value := text(call.params, name))}

    def wanted(session: Obj) -> bool:
        return all(session[name] == value for name, value in asked.items())

    return lists.page("/v1/checkout/sessions", world.sessions.values(), call.params, wanted=wanted)


def expire(world: World, call: Call) -> Obj:
    """Expire a session that is still open."""
    session = world.get("sessions", call.args[0])
    if session["status"] != "open":
        raise errors.invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has'
            f" a status of {session['status']}."
        )
    session.update(status="expired", url=None)
    events.emit(world, call, "checkout.session.expired", session)
    return session
