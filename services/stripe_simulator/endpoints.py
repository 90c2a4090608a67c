"""Webhook endpoints; the secret is told once, when the endpoint is made."""

from __future__ import annotations

from services.stripe_simulator import errors, ids, lists, metadata
from services.stripe_simulator.params import flag, required, text, texts
from services.stripe_simulator.world import Call, Obj, World
from shared import clock


def create(world: World, call: Call) -> Obj:
    """A new enabled endpoint; the answer is the only one that carries its secret."""
    chosen = texts(call.params, "enabled_events")
    if not chosen:
        raise errors.missing_parameter("enabled_events")
    secret = ids.new("whsec")
    endpoint = register(world, required(call.params, "url"), secret, chosen)
    endpoint["metadata"] = metadata.merged({}, call.params)
    endpoint["description"] = text(call.params, "description")
    return {**endpoint, "secret": secret}


def register(world: World, url: str, secret: str, chosen: list[str]) -> Obj:
    """File an endpoint whose deliveries are signed with `secret`."""
    endpoint: Obj = {
        "id": ids.new("we"),
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": clock.epoch(),
        "description": None,
        "enabled_events": chosen,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
    world.endpoints[endpoint["id"]] = endpoint
    world.secrets[endpoint["id"]] = [secret]
    return endpoint


def settle(world: World, url: str, secret: str, chosen: list[str]) -> None:
    """Have the endpoint that the settings ask for: a new one, or the one there was, wherever it is now."""
    known = world.endpoints.get(world.own_endpoint)
    if known is None:
        world.own_endpoint = register(world, url, secret, chosen)["id"]
    else:
        known["url"] = url
        world.secrets[known["id"]] = [secret]


def get(world: World, call: Call) -> Obj:
    """One endpoint by id."""
    return world.get("endpoints", call.args[0])


def listing(world: World, call: Call) -> Obj:
    """Endpoints, newest first."""
    return lists.page("/v1/webhook_endpoints", world.endpoints.values(), call.params)


def update(world: World, call: Call) -> Obj:
    """Change where an endpoint is, what it hears, or whether it is disabled."""
    endpoint = world.get("endpoints", call.args[0])
    if url := text(call.params, "url"):
        endpoint["url"] = url
    if chosen := texts(call.params, "enabled_events"):
        endpoint["enabled_events"] = chosen
    if (disabled := flag(call.params, "disabled")) is not None:
        endpoint["status"] = "disabled" if disabled else "enabled"
    endpoint["metadata"] = metadata.merged(endpoint["metadata"], call.params)
    return endpoint


def delete(world: World, call: Call) -> Obj:
    """Remove an endpoint; what is still on its way to it is dropped."""
    endpoint = world.get("endpoints", call.args[0])
    del world.endpoints[endpoint["id"]]
    del world.secrets[endpoint["id"]]
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def roll(world: World, identity: str, *, keep_old: bool) -> str:
    """A new secret for an endpoint; `keep_old` signs with both until it is rolled again."""
    world.get("endpoints", identity)
    secret = ids.new("whsec")
    world.secrets[identity] = [secret, *(world.secrets[identity][:1] if keep_old else [])]
    return secret
