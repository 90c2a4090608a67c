"""Stripe's API as one table: which handler answers which URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from services.stripe_simulator import (
    catalogue,
    cli,
    delivery,
    disputes,
    endpoints,
    events,
    lines,
    links,
    pay,
    payments,
    prices,
    products,
    sessions,
)
from services.stripe_simulator.world import Call, Obj, World

Handler: TypeAlias = Callable[[World, Call], Obj]

ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/products": products.create,
    "GET /v1/products": products.listing,
    "GET /v1/products/{id}": products.get,
    "POST /v1/products/{id}": products.update,
    "DELETE /v1/products/{id}": products.delete,
    "POST /v1/prices": catalogue.create_price,
    "GET /v1/prices": prices.listing,
    "GET /v1/prices/{id}": prices.get,
    "POST /v1/prices/{id}": prices.update,
    "POST /v1/checkout/sessions": sessions.create,
    "GET /v1/checkout/sessions": sessions.listing,
    "GET /v1/checkout/sessions/{id}": sessions.get,
    "POST /v1/checkout/sessions/{id}": sessions.update,
    "POST /v1/checkout/sessions/{id}/expire": sessions.expire,
    "GET /v1/checkout/sessions/{id}/line_items": lines.listing,
    "GET /v1/payment_pages/{id}": pay.page,
    "POST /v1/payment_pages/{id}/confirm": pay.confirm,
    "POST /v1/payment_links": links.create,
    "GET /v1/payment_links": links.listing,
    "GET /v1/payment_links/{id}": links.get,
    "POST /v1/payment_links/{id}": links.update,
    "GET /v1/payment_links/{id}/line_items": lines.listing,
    "POST /v1/payment_intents": payments.create_intent,
    "GET /v1/payment_intents": payments.list_intents,
    "GET /v1/payment_intents/{id}": payments.get_intent,
    "POST /v1/payment_intents/{id}/confirm": payments.confirm_intent,
    "POST /v1/payment_methods": payments.create_method,
    "GET /v1/payment_methods/{id}": payments.get_method,
    "GET /v1/charges": payments.list_charges,
    "GET /v1/charges/{id}": payments.get_charge,
    "POST /v1/refunds": payments.create_refund,
    "GET /v1/refunds": payments.list_refunds,
    "GET /v1/refunds/{id}": payments.get_refund,
    "POST /v1/refunds/{id}": payments.update_refund,
    "GET /v1/disputes": disputes.listing,
    "GET /v1/disputes/{id}": disputes.get,
    "GET /v1/events": events.listing,
    "GET /v1/events/{id}": events.get,
    "POST /v1/events/{id}/retry": delivery.retry,
    "POST /v1/webhook_endpoints": endpoints.create,
    "GET /v1/webhook_endpoints": endpoints.listing,
    "GET /v1/webhook_endpoints/{id}": endpoints.get,
    "POST /v1/webhook_endpoints/{id}": endpoints.update,
    "DELETE /v1/webhook_endpoints/{id}": endpoints.delete,
    "POST /v1/stripecli/sessions": cli.session,
    "GET /v1/account": cli.account,
}
