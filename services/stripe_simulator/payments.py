"""Payment intents, payment methods, charges and refunds, as far as sales and refunds need them."""

from __future__ import annotations

from services.stripe_simulator import disputes, errors, events, lists, metadata
from services.stripe_simulator.params import Params, flag, integer, required, text, texts
from services.stripe_simulator.payment_objects import charge, intent, method, refund
from services.stripe_simulator.world import Call, Obj, World

_GOING = frozenset({"pending", "succeeded"})
"""States of a refund whose money is with the buyer, or on the way."""


def create_intent(world: World, call: Call) -> Obj:
    """A new payment intent, confirmed at once where `confirm` says so."""
    amount = integer(call.params, "amount")
    if amount is None:
        raise errors.missing_parameter("amount")
    new = intent(amount, required(call.params, "currency").lower())
    new["payment_method"] = text(call.params, "payment_method")
    new["metadata"] = metadata.merged({}, call.params)
    new["description"] = text(call.params, "description")
    new["payment_method_types"] = texts(call.params, "payment_method_types") or ["card"]
    if new["payment_method"]:
        new["status"] = "requires_confirmation"
    file_intent(world, call, new)
    return succeed(world, call, new) if flag(call.params, "confirm") else new


def file_intent(world: World, call: Call | None, new: Obj) -> None:
    """Put a new payment intent into the account and say so."""
    world.intents[new["id"]] = new
    events.emit(world, call, "payment_intent.created", new)


def succeed(world: World, call: Call | None, paid: Obj) -> Obj:
    """The money has arrived: a charge, and both events."""
    made = charge(paid)
    world.charges[made["id"]] = made
    paid.update(status="succeeded", amount_received=paid["amount"], latest_charge=made["id"])
    events.emit(world, call, "charge.succeeded", made)
    events.emit(world, call, "payment_intent.succeeded", paid)
    return paid


def fail(world: World, call: Call | None, unpaid: Obj) -> None:
    """The money will not come."""
    unpaid["status"] = "requires_payment_method"
    events.emit(world, call, "payment_intent.payment_failed", unpaid)


def confirm_intent(world: World, call: Call) -> Obj:
    """Confirm a payment intent that waits for it."""
    found = world.get("intents", call.args[0])
    if found["status"] == "succeeded":
        raise errors.invalid("You cannot confirm this PaymentIntent because it has already succeeded.")
    found["payment_method"] = text(call.params, "payment_method") or found["payment_method"]
    return succeed(world, call, found)


def get_intent(world: World, call: Call) -> Obj:
    """One payment intent by id."""
    return world.get("intents", call.args[0])


def list_intents(world: World, call: Call) -> Obj:
    """Payment intents, newest first."""
    return lists.page("/v1/payment_intents", world.intents.values(), call.params)


def create_method(world: World, call: Call) -> Obj:
    """A new payment method."""
    new = method(required(call.params, "type"), call.params)
    world.methods[new["id"]] = new
    return new


def get_method(world: World, call: Call) -> Obj:
    """One payment method by id."""
    return world.get("methods", call.args[0])


def get_charge(world: World, call: Call) -> Obj:
    """One charge by id."""
    return world.get("charges", call.args[0])


def list_charges(world: World, call: Call) -> Obj:
    """Charges, newest first."""
    wanted = text(call.params, "payment_intent")
    chosen = [one for one in world.charges.values() if wanted in {None, one["payment_intent"]}]
    return lists.page("/v1/charges", chosen, call.params)


def create_refund(world: World, call: Call) -> Obj:
    """Give back a charge, or part of it; a refund names an amount and never lines."""
    refunded = _refundable(world, call.params)
    left = _left(world, refunded)
    amount = integer(call.params, "amount") or left
    if amount > left or left == 0:
        raise errors.invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            "amount",
            "charge_already_refunded" if left == 0 else None,
        )
    new: Obj = refund(refunded, amount) | {
        "metadata": metadata.merged({}, call.params),
        "reason": text(call.params, "reason"),
    }
    world.refunds[new["id"]] = new
    before = refunded["amount_refunded"]
    refunded["amount_refunded"] += amount
    refunded["refunded"] = refunded["amount_refunded"] == refunded["amount"]
    events.emit(world, call, "refund.created", new)
    events.emit(world, call, "charge.refunded", refunded, previous={"amount_refunded": before})
    return new


def move_refund(world: World, identity: str, status: str) -> Obj:
    """The buyer's bank takes the money of a refund, or does not; the charge counts what did go back."""
    moved = world.get("refunds", identity)
    before, moved["status"] = moved["status"], status
    paid = world.get("charges", moved["charge"])
    back = (status in _GOING) - (before in _GOING)
    paid["amount_refunded"] += back * moved["amount"]
    paid["refunded"] = paid["amount_refunded"] == paid["amount"]
    events.emit(world, None, "refund.updated", moved, previous={"status": before})
    if status == "failed":
        events.emit(world, None, "refund.failed", moved)
    return moved


def _left(world: World, refunded: Obj) -> int:
    """What can be given back of a charge: not what a bank took back already."""
    disputed = disputes.withdrawn(world, refunded)
    left: int = max(0, refunded["amount"] - refunded["amount_refunded"] - disputed)
    if disputed and not left:
        raise errors.invalid(f"Charge {refunded['id']} has been charged back.", "charge", "charge_disputed")
    return left


def _refundable(world: World, params: Params) -> Obj:
    identity = text(params, "charge")
    if identity is None:
        paid = world.named("intents", required(params, "payment_intent"), "payment_intent")
        identity = paid["latest_charge"]
    if identity is None:
        raise errors.invalid("This PaymentIntent does not have a successful charge to refund.")
    return world.named("charges", identity, "charge")


def update_refund(world: World, call: Call) -> Obj:
    """Change a refund's metadata."""
    found = world.get("refunds", call.args[0])
    old = found["metadata"]
    found["metadata"] = metadata.merged(old, call.params)
    previous: Obj = {"metadata": metadata.previous(old, found["metadata"])}
    events.emit(world, call, "refund.updated", found, previous=previous)
    events.emit(world, call, "charge.refund.updated", found, previous=previous)
    return found


def get_refund(world: World, call: Call) -> Obj:
    """One refund by id."""
    return world.get("refunds", call.args[0])


def list_refunds(world: World, call: Call) -> Obj:
    """Refunds, newest first."""
    names = ("payment_intent", "charge")
    wanted = {name: value for name in names if (value := text(call.params, name))}
    chosen = [one for one in world.refunds.values() if all(one[n] == v for n, v in wanted.items())]
    return lists.page("/v1/refunds", chosen, call.params)
