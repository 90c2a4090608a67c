"""What happens when a customer pays: sessions complete, money comes or fails, the oracle notes."""

from __future__ import annotations

from collections.abc import Mapping

from services.stripe_simulator import custom_fields, errors, events, lines, payments, sessions, shapes
from services.stripe_simulator.naming import Line
from services.stripe_simulator.params import required, text
from services.stripe_simulator.payment_objects import intent
from services.stripe_simulator.world import Call, Obj, World

OUTCOMES = ("paid", "unpaid", "async_succeed", "async_fail")
BUYER: Obj = {
    "address": shapes.address(),
    "business_name": None,
    "email": "buyer@example.com",
    "individual_name": None,
    "name": "Jenny Rosen",
    "phone": None,
    "tax_exempt": "none",
    "tax_ids": [],
}


def pay(world: World, session: Obj, outcome: str, quantities: Mapping[str, int]) -> Obj:
    """Finish `session` with one of OUTCOMES, after the customer changed the `quantities` of line items."""
    if outcome not in OUTCOMES:
        raise errors.invalid(f"outcome must be one of {', '.join(OUTCOMES)}", "outcome")
    if session["status"] == "open":
        _adjust(world, session, quantities)
        complete(world, session, paid=outcome == "paid")
    elif not outcome.startswith("async_"):
        raise errors.invalid(f"This Checkout Session is already {session['status']}.")
    if outcome.startswith("async_"):
        settle(world, session, paid=outcome == "async_succeed")
    return session


def _adjust(world: World, session: Obj, quantities: Mapping[str, int]) -> None:
    if not quantities:
        return
    items = world.line_items[session["id"]]
    unknown = quantities.keys() - {item["id"] for item in items}
    if unknown:
        raise errors.invalid(f"No such line item: {', '.join(sorted(unknown))}", "quantities")
    counted = [lines.counted(item, quantities.get(item["id"], item["quantity"])) for item in items]
    world.line_items[session["id"]] = [item for item in counted if item["quantity"]]
    session.update(sessions.amounts(world.line_items[session["id"]]))


def complete(world: World, session: Obj, *, paid: bool) -> None:
    """The customer is through; `paid` is False for a method whose money comes later."""
    free = session["amount_total"] == 0
    session.update(status="complete", url=None, customer_details=BUYER)
    session["payment_status"] = "no_payment_required" if free else "paid" if paid else "unpaid"
    if not free and session["mode"] == "payment":
        _charge(world, session, paid=paid)
    events.emit(world, None, "checkout.session.completed", session)
    if free or paid:
        _tell_oracle(world, session)


def _charge(world: World, session: Obj, *, paid: bool) -> None:
    new = intent(session["amount_total"], session["currency"])
    new["payment_method_types"] = session["payment_method_types"]
    session["payment_intent"] = new["id"]
    payments.file_intent(world, None, new)
    if paid:
        payments.succeed(world, None, new)
    else:
        new["status"] = "processing"
        events.emit(world, None, "payment_intent.processing", new)


def settle(world: World, session: Obj, *, paid: bool) -> None:
    """A delayed payment came through, or will not."""
    if session["status"] != "complete" or session["payment_status"] != "unpaid":
        raise errors.invalid("This Checkout Session waits for no delayed payment.")
    paying = world.intents.get(session["payment_intent"])
    if paid:
        session["payment_status"] = "paid"
        if paying:
            payments.succeed(world, None, paying)
        events.emit(world, None, "checkout.session.async_payment_succeeded", session)
        _tell_oracle(world, session)
        return
    if paying:
        payments.fail(world, None, paying)
    events.emit(world, None, "checkout.session.async_payment_failed", session)


def _tell_oracle(world: World, session: Obj) -> None:
    facts = dict(session["metadata"])
    if answer := custom_fields.size(session["custom_fields"]):
        facts.setdefault("size", answer)
    world.oracle.paid(session["id"], facts, [_fact(world, item) for item in world.line_items[session["id"]]])


def _fact(world: World, item: Obj) -> Line:
    price = item["price"]
    product = world.products.get(price["product"])
    return Line(
        identity=item["id"],
        product=price["product"],
        quantity=item["quantity"],
        own=item["metadata"],
        price=price["metadata"],
        stock=product["metadata"] if product else None,
    )


def page(world: World, call: Call) -> Obj:
    """The hosted page of a session, as the command line tool asks for it before it confirms."""
    session = world.get("sessions", call.args[0])
    return {
        "id": f"ppage_{session['id'][-24:]}",
        "object": "checkout.payment_page",
        "session_id": session["id"],
        "currency": session["currency"],
        "livemode": False,
        "mode": session["mode"],
        "payment_method_types": session["payment_method_types"],
        "payment_status": session["payment_status"],
        "status": session["status"],
        "total_summary": {"due": session["amount_total"], "total": session["amount_total"]},
    }


def confirm(world: World, call: Call) -> Obj:
    """Pay a session with a payment method; a bank debit completes unpaid, then comes or fails."""
    session = world.get("sessions", call.args[0])
    if session["status"] != "open":
        raise errors.invalid(f"This Checkout Session is already {session['status']}.")
    chosen = world.named("methods", required(call.params, "payment_method"), "payment_method")
    expected = text(call.params, "expected_amount")
    if expected is not None and expected != str(session["amount_total"]):
        raise errors.invalid("The expected amount does not match the amount due.", "expected_amount")
    if chosen["type"] == "sepa_debit":
        failing = chosen["sepa_debit"]["fingerprint"] == "fails"
        pay(world, session, "async_fail" if failing else "async_succeed", {})
    else:
        pay(world, session, "paid", {})
    return page(world, call)
