"""What customers do: pay for sessions, and open payment links."""

from __future__ import annotations

from collections.abc import Sequence

from services.stripe_simulator import custom_fields, errors, lines, pay, sessions
from services.stripe_simulator.control_bodies import Payment, Purchase, Sale, Truth
from services.stripe_simulator.ids import new
from services.stripe_simulator.oracle import Place
from services.stripe_simulator.params import Params
from services.stripe_simulator.world import Call, Obj, World

SUCCESS_URL = "https://shop.example/thanks"
CENTS = "4900"


def declare(world: World, session: str, truths: Sequence[Truth | None]) -> None:
    """Tell the oracle what the lines of a session really are."""
    world.get("sessions", session)
    world.oracle.declare(session, [truth and Place(truth.product, truth.size) for truth in truths])


def finish(world: World, identity: str, payment: Payment) -> Obj:
    """The customer pays, or promises to."""
    session = world.get("sessions", identity)
    if payment.lines is not None:
        declare(world, identity, payment.lines)
    return pay.pay(world, session, payment.outcome, payment.quantities)


def sell(world: World, sale: Sale) -> list[str]:
    """Customers open a session each, as by the API, and pay for it; the sessions' ids in their order."""
    inline: Params = {"currency": "eur", "unit_amount": CENTS, "product": sale.product}
    line: Params = {"price_data": inline, "quantity": str(sale.quantity)}
    if sale.size:
        line["metadata"] = {"size": sale.size}
    params: Params = {"mode": "payment", "success_url": SUCCESS_URL, "line_items": {"0": line}}
    opened = [sessions.create(world, Call(params)) for _ in range(sale.count)]
    return [pay.pay(world, session, "paid", {})["id"] for session in opened]


def age(world: World, seconds: int) -> None:
    """Let all sessions, and all events of whatever kind, have been so much earlier."""
    happened = world.events.values()
    shown = [event["data"]["object"] for event in happened]
    of_sessions = [thing for thing in shown if thing["object"] == "checkout.session"]
    for thing in (*world.sessions.values(), *happened, *of_sessions):
        thing["created"] -= seconds
    for session in (*world.sessions.values(), *of_sessions):
        session["expires_at"] -= seconds


def open_link(world: World, identity: str, purchase: Purchase) -> Obj:
    """A customer fills in a payment link: an open session with its lines and metadata."""
    link = world.get("links", identity)
    if not link["active"]:
        raise errors.invalid("This payment link is not active.")
    items = [{**item, "id": new("li")} for item in world.line_items[identity]]
    if purchase.quantities:
        if len(purchase.quantities) != len(items):
            raise errors.invalid("There must be one quantity for each line.", "quantities")
        pairs = zip(items, purchase.quantities, strict=True)
        items = [lines.counted(item, quantity) for item, quantity in pairs if quantity]
    session: Obj = sessions.build({}, items) | {
        "mode": "payment",
        "metadata": dict(link["metadata"]),
        "custom_fields": custom_fields.answered(link["custom_fields"], purchase.fields),
        "payment_method_types": link["payment_method_types"] or ["card"],
        "payment_link": identity,
    }
    sessions.file(world, session, items)
    if purchase.lines is not None:
        declare(world, session["id"], purchase.lines)
    return session
