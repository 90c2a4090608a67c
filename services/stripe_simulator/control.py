"""The control API under `/_…`: customers, people at the Dashboard, faults, the oracle; no part of Stripe."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from services.stripe_simulator import control_bodies as bodies
from services.stripe_simulator import dashboard, disputes, endpoints, errors, payments, shopping
from services.stripe_simulator.delivery import Deliveries
from services.stripe_simulator.errors import ApiError
from services.stripe_simulator.faults import Rule
from services.stripe_simulator.gateway import Gateway
from services.stripe_simulator.http import Answer, Request, answer
from services.stripe_simulator.limiter import Limits
from services.stripe_simulator.params import parse, text
from services.stripe_simulator.routing import Router
from services.stripe_simulator.world import World

LATEST = 1000  # log entries in an answer that was not asked for more


@dataclass(frozen=True, slots=True)
class Desk:
    """What the control API works on."""

    gateway: Gateway
    deliveries: Deliveries

    @property
    def world(self) -> World:
        """The simulated account."""
        return self.gateway.world


@dataclass(frozen=True, slots=True)
class Order:
    """One control request."""

    args: tuple[str, ...]
    body: dict[str, Any]
    limit: int


Handler: TypeAlias = Callable[[Desk, Order], object]


def _health(desk: Desk, _order: Order) -> object:
    return {"status": "ok", "deliveries_waiting": desk.deliveries.waiting()}


def _add_fault(desk: Desk, order: Order) -> object:
    rules = order.body.get("rules", [order.body])
    added = [Rule.model_validate(rule) for rule in rules]
    for rule in added:
        desk.world.faults.add(rule)
    return {"rules": [rule.model_dump() for rule in added]}


def _faults(desk: Desk, _order: Order) -> object:
    return {"rules": [rule.model_dump() for rule in desk.world.faults.all()]}


def _no_faults(desk: Desk, _order: Order) -> object:
    desk.world.faults.clear()
    return {"rules": []}


def _requests(desk: Desk, order: Order) -> object:
    return {**desk.gateway.journal.report(order.limit), "peaks": desk.gateway.limiter.peaks()}


def _forget_requests(desk: Desk, _order: Order) -> object:
    desk.gateway.journal.clear()
    desk.gateway.limiter.clear()
    return {}


def _deliveries(desk: Desk, order: Order) -> object:
    return {"waiting": desk.deliveries.waiting(), "attempts": list(desk.deliveries.log)[-order.limit :]}


def _hold(desk: Desk, order: Order) -> object:
    desk.deliveries.hold(held=bodies.Hold.model_validate(order.body).held)
    return {"waiting": desk.deliveries.waiting()}


def _pay(desk: Desk, order: Order) -> object:
    return shopping.finish(desk.world, order.args[0], bodies.Payment.model_validate(order.body))


def _sell(desk: Desk, order: Order) -> object:
    return {"sessions": shopping.sell(desk.world, bodies.Sale.model_validate(order.body))}


def _age(desk: Desk, order: Order) -> object:
    shopping.age(desk.world, bodies.Age.model_validate(order.body).seconds)
    return {}


def _open_link(desk: Desk, order: Order) -> object:
    return shopping.open_link(desk.world, order.args[0], bodies.Purchase.model_validate(order.body))


def _dispute(desk: Desk, order: Order) -> object:
    return disputes.begin(desk.world, bodies.Dispute.model_validate(order.body))


def _move_dispute(desk: Desk, order: Order) -> object:
    wanted = bodies.DisputeMove.model_validate(order.body)
    return disputes.move(desk.world, order.args[0], wanted.status)


def _move_refund(desk: Desk, order: Order) -> object:
    wanted = bodies.RefundMove.model_validate(order.body)
    return payments.move_refund(desk.world, order.args[0], wanted.status)


def _shelf(desk: Desk, _order: Order) -> object:
    return {"products": list(desk.world.products.values())}


def _form(desk: Desk, order: Order) -> object:
    return desk.world.get("products", order.args[0])


def _edit(desk: Desk, order: Order) -> object:
    return dashboard.edit(desk.world, order.args[0], bodies.Edit.model_validate(order.body))


def _delete(desk: Desk, order: Order) -> object:
    return dashboard.delete(desk.world, order.args[0])


def _oracle(desk: Desk, _order: Order) -> object:
    return desk.world.oracle.report()


def _declare(desk: Desk, order: Order) -> object:
    declared = bodies.Declaration.model_validate(order.body)
    shopping.declare(desk.world, order.args[0], declared.lines)
    return desk.world.oracle.report()


def _limits(desk: Desk, order: Order) -> object:
    wanted = bodies.Throttle.model_validate(order.body)
    desk.gateway.limiter.limits = Limits(wanted.per_endpoint, wanted.overall)
    return asdict(desk.gateway.limiter.limits)


def _latency(desk: Desk, order: Order) -> object:
    wanted = bodies.Latency.model_validate(order.body)
    desk.gateway.latency = wanted.ms / 1000
    return {"ms": wanted.ms}


def _roll(desk: Desk, order: Order) -> object:
    keep_old = bodies.Roll.model_validate(order.body).keep_old
    return {"secret": endpoints.roll(desk.world, order.args[0], keep_old=keep_old)}


def _forget_keys(desk: Desk, _order: Order) -> object:
    desk.gateway.keys.clear()
    return {}


def _reset(desk: Desk, order: Order) -> object:
    wanted = bodies.Reset.model_validate(order.body)
    desk.deliveries.clear()
    desk.world.clear(endpoints=wanted.endpoints)
    desk.gateway.keys.clear()
    desk.gateway.journal.clear()
    desk.gateway.limiter.clear()
    return {}


ROUTES: Final[dict[str, Handler]] = {
    "GET /_health": _health,
    "POST /_faults": _add_fault,
    "GET /_faults": _faults,
    "DELETE /_faults": _no_faults,
    "GET /_requests": _requests,
    "DELETE /_requests": _forget_requests,
    "GET /_deliveries": _deliveries,
    "POST /_deliveries": _hold,
    "POST /_checkout/sessions/{id}/pay": _pay,
    "POST /_checkout/paid": _sell,
    "POST /_checkout/age": _age,
    "POST /_payment_links/{id}/checkout": _open_link,
    "POST /_disputes": _dispute,
    "POST /_disputes/{id}": _move_dispute,
    "POST /_refunds/{id}": _move_refund,
    "GET /_dashboard/products": _shelf,
    "GET /_dashboard/products/{id}": _form,
    "POST /_dashboard/products/{id}": _edit,
    "DELETE /_dashboard/products/{id}": _delete,
    "GET /_oracle": _oracle,
    "POST /_oracle/sessions/{id}": _declare,
    "POST /_limits": _limits,
    "POST /_latency": _latency,
    "POST /_webhook_endpoints/{id}/roll": _roll,
    "DELETE /_keys": _forget_keys,
    "POST /_reset": _reset,
}


class Control:
    """Answers control requests, JSON in and JSON out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._router = Router(ROUTES)

    def answer(self, request: Request) -> Answer:
        """The answer to one request; 400 says what is wrong with it."""
        found = self._router.find(request.method, request.path)
        if found is None:
            return answer(errors.unknown_url(request.method, request.path).body(), 404)
        _, handler, args = found
        try:
            limit = int(text(parse(request.query), "limit") or LATEST)
            order = Order(args, _json(request.body), limit)
            with self._desk.world.lock:
                return answer(handler(self._desk, order))
        except ApiError as refusal:
            return answer(refusal.body(), refusal.status)
        except (ValidationError, ValueError) as problem:
            return answer(errors.invalid(str(problem)).body(), 400)


def _json(body: bytes) -> dict[str, Any]:
    value = json.loads(body or b"{}")
    if not isinstance(value, dict):
        raise errors.invalid("The body must be a JSON object.")
    return value  # pyright: ignore[reportUnknownVariableType] - any JSON object
