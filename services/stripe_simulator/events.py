"""Events: what happened, recorded as Stripe records it and handed to whoever delivers it."""

from __future__ import annotations

import json

from services.stripe_simulator import errors, ids, lists
from services.stripe_simulator.params import flag, text, texts
from services.stripe_simulator.world import Call, Obj, World
from shared import clock

API_VERSION = "2026-10-28.endive"
MAX_TYPES = 20


def emit(world: World, call: Call | None, kind: str, thing: Obj, *, previous: Obj | None = None) -> None:
    """Record that `kind` happened to `thing`; no `call` means a person in the Dashboard, or Stripe itself."""
    data: Obj = {"object": json.loads(json.dumps(thing))}
    if previous is not None:
        data["previous_attributes"] = json.loads(json.dumps(previous))
    event: Obj = {
        "id": ids.new("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": clock.epoch(),
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": call and call.request_id, "idempotency_key": call and call.key},
        "type": kind,
    }
    owe(world, event)
    rule = world.faults.for_event(kind, ("event_lost", "event_hidden"))
    if rule and rule.kind == "event_lost":
        return
    if rule:
        world.visible_from[event["id"]] = clock.monotonic() + rule.seconds
    world.events[event["id"]] = event
    for outlet in world.outlets:
        outlet(event)


def owe(world: World, event: Obj) -> None:
    """Every endpoint that wants the event has yet to take it."""
    wanting = {one["id"] for one in world.endpoints.values() if wants(one, event["type"])}
    world.owed[event["id"]] = wanting
    event["pending_webhooks"] = len(wanting)


def taken(world: World, event: Obj, endpoint: str) -> None:
    """The endpoint has answered the event with 2xx."""
    owed = world.owed.get(event["id"], set())
    owed.discard(endpoint)
    event["pending_webhooks"] = len(owed)


def wants(endpoint: Obj, kind: str) -> bool:
    """Whether a webhook endpoint is enabled and subscribed to events of this type."""
    chosen = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in chosen or kind in chosen)


def get(world: World, call: Call) -> Obj:
    """One event by id."""
    return world.get("events", call.args[0])


def listing(world: World, call: Call) -> Obj:
    """Events, newest first, by type, time and whether every endpoint has them."""
    if len(texts(call.params, "types")) > MAX_TYPES:
        raise errors.invalid(f"You may pass up to {MAX_TYPES} event types.", "types")
    now = clock.monotonic()
    kinds, kind = texts(call.params, "types"), text(call.params, "type")
    delivered = flag(call.params, "delivery_success")

    def wanted(event: Obj) -> bool:
        return (
            (delivered is None or delivered == (event["pending_webhooks"] == 0))
            and (not kinds or any(_matches(event["type"], one) for one in kinds))
            and (kind is None or _matches(event["type"], kind))
            and world.visible_from.get(event["id"], 0) <= now
        )

    return lists.page("/v1/events", world.events.values(), call.params, wanted=wanted)


def _matches(kind: str, wanted: str) -> bool:
    return wanted in {"*", kind} or (wanted.endswith(".*") and kind.startswith(wanted[:-1]))
