"""Stripe's events of the shop, and what became of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from services.stock_worker.handlers import on_sales
from shared.broker.embedded import EmbeddedBroker
from shared.messages import SessionPaid
from shared.topology import PRODUCTS, REFUNDS, SALES
from shared.vocabulary import EventId, SessionId
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.command import Command

COMPLETED = "checkout.session.completed"


def ready(queue: EmbeddedBroker) -> dict[str, int]:
    """How many messages each of the stock worker's queues holds, in hand or not."""
    return {name: queue.depth(name).ready for name in (SALES, PRODUCTS, REFUNDS)}


def event(shop: Shop, kind: str, about: str) -> str:
    """The newest event of this type about this object."""
    return next(
        one.id
        for one in shop.stripe.v1.events.list({"type": kind, "limit": 100}).data
        if one.to_dict()["data"]["object"]["id"] == about
    )


def heard(shop: Shop, session: SessionId) -> str:
    """The stock worker gets the webhook of a paid session; the event."""
    told = event(shop, COMPLETED, session)
    message = SessionPaid(
        account=ACCOUNT, session=session, event=EventId(told), event_type=COMPLETED, at=datetime.now(UTC)
    )
    shop.follow(on_sales([message], shop.deps))
    return told


def outcomes(command: Command, *options: str) -> dict[str, tuple[str, str]]:
    """What became of each event, and why."""
    done = command("list", "--json", *options)
    assert done.returncode == 0, done.stderr
    return {one["id"]: (one["outcome"], one["why"]) for one in json.loads(done.stdout)}
