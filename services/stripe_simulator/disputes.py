"""Disputes: what a buyer's bank does to a payment, and what becomes of it; the bank speaks by the control API."""

from __future__ import annotations

from typing import Final

from services.stripe_simulator import errors, events, lists
from services.stripe_simulator.control_bodies import Dispute
from services.stripe_simulator.params import text
from services.stripe_simulator.payment_objects import dispute
from services.stripe_simulator.world import Call, Obj, World

WITHDRAWN: Final = frozenset({"needs_response", "under_review", "lost"})
CLOSED: Final = frozenset({"won", "lost", "warning_closed", "prevented"})


def get(world: World, call: Call) -> Obj:
    """One dispute by id."""
    return world.get("disputes", call.args[0])


def listing(world: World, call: Call) -> Obj:
    """Disputes, newest first."""
    names = ("payment_intent", "charge")
    wanted = {name: value for name in names if (value := text(call.params, name))}
    chosen = [one for one in world.disputes.values() if all(one[n] == v for n, v in wanted.items())]
    return lists.page("/v1/disputes", chosen, call.params)


def begin(world: World, wanted: Dispute) -> Obj:
    """A bank disputes a payment, or asks about it; a dispute names an amount and never lines."""
    disputed = _charge(world, wanted)
    left = disputed["amount"] - disputed["amount_refunded"]
    new = dispute(disputed, wanted.amount or left or disputed["amount"], wanted.reason)
    world.disputes[new["id"]] = new
    disputed["disputed"] = True
    _enter(new, wanted.status)
    events.emit(world, None, "charge.dispute.created", new)
    _tell_of_funds(world, new, before="")
    return new


def move(world: World, identity: str, status: str) -> Obj:
    """A dispute goes on: the shop answered, the bank decided."""
    found = world.get("disputes", identity)
    before = found["status"]
    if before in CLOSED:
        raise errors.invalid(f"This dispute is already closed: {before}.")
    _enter(found, status)
    if status in CLOSED:
        events.emit(world, None, "charge.dispute.closed", found)
    else:
        events.emit(world, None, "charge.dispute.updated", found, previous={"status": before})
    _tell_of_funds(world, found, before=before)
    return found


def withdrawn(world: World, charge: Obj) -> int:
    """What banks have taken back of a charge."""
    return sum(
        one["amount"]
        for one in world.disputes.values()
        if one["charge"] == charge["id"] and one["status"] in WITHDRAWN
    )


def _charge(world: World, wanted: Dispute) -> Obj:
    paid = wanted.payment_intent
    if wanted.session is not None:
        paid = world.named("sessions", wanted.session, "session")["payment_intent"]
    if paid is None:
        raise errors.missing_parameter("payment_intent")
    charge = world.named("intents", paid, "payment_intent")["latest_charge"]
    if charge is None:
        raise errors.invalid("This PaymentIntent does not have a successful charge to dispute.")
    return world.named("charges", charge, "charge")


def _enter(entered: Obj, status: str) -> None:
    entered["status"] = status
    entered["is_charge_refundable"] = status not in WITHDRAWN
    if status in WITHDRAWN:
        entered["payment_method_details"]["card"]["case_type"] = "chargeback"
    if status.endswith("under_review"):
        entered["evidence_details"] |= {"has_evidence": True, "submission_count": 1}


def _tell_of_funds(world: World, moved: Obj, *, before: str) -> None:
    taken = moved["status"] in WITHDRAWN
    if taken != (before in WITHDRAWN):
        events.emit(world, None, f"charge.dispute.funds_{'withdrawn' if taken else 'reinstated'}", moved)
