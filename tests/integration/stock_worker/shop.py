"""A shop on the simulator and a stock worker's handlers on a real database, driven without a queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import stripe

from services.stock_worker.deps import Deps
from services.stock_worker.handlers import on_product, on_sales
from shared.database.pool import Database
from shared.messages import Message, ProductChanged, SessionPaid, SyncRequested
from shared.outcomes import Done, Outcome
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import AccountKey, ProductId, SessionId

ACCOUNT = AccountKey("self:test")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PATIENCE = 3.0
"""Seconds for which a worker waits for an answer of Stripe; a machine that is busy otherwise takes one of them."""
STALLED = PATIENCE + 1
"""Seconds after which there is no answer any more that anybody waits for."""


def webhook_of(update: ProductUpdate) -> ProductChanged:
    """The message that the webhook of a change becomes."""
    return ProductChanged(
        account=ACCOUNT,
        product=update.product,
        event=update.event,
        change="updated",
        at=update.created,
        idempotency_key=update.idempotency_key,
        metadata=update.metadata,
        previous_metadata=update.previous_metadata,
    )


@dataclass(slots=True)
class Shop:
    """What a test does to a shop, and what it sees of it."""

    url: str
    deps: Deps
    database: Database
    stripe: stripe.StripeClient
    told: list[Message] = field(default_factory=list[Message])

    def control(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A call to the simulator's control API."""
        answer = requests.post(self.url + path, json=body or {}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def forget(self) -> None:
        """Count calls from here on."""
        requests.delete(f"{self.url}/_requests", timeout=10).raise_for_status()

    def calls(self) -> dict[str, int]:
        """How many requests the account has had since, by endpoint."""
        return requests.get(f"{self.url}/_requests", params={"limit": 0}, timeout=10).json()["by_endpoint"]

    def product(self, **metadata: str) -> ProductId:
        """A new product with this metadata."""
        return ProductId(self.stripe.v1.products.create({"name": "Shirt", "metadata": metadata}).id)

    def line(self, product: ProductId, size: str, quantity: int = 1) -> dict[str, Any]:
        """A line of a session whose own metadata names the size."""
        price = {"currency": "eur", "unit_amount": 100, "product": product}
        return {"price_data": price, "quantity": quantity, "metadata": {"size": size} if size else {}}

    def sold(self, *lines: dict[str, Any], **metadata: str) -> SessionId:
        """A session that was paid."""
        wanted: Any = {
            "mode": "payment",
            "success_url": "https://shop.example",
            "line_items": list(lines),
            "metadata": metadata,
        }
        session = self.stripe.v1.checkout.sessions.create(wanted).id
        self.control(f"/_checkout/sessions/{session}/pay")
        return SessionId(session)

    def fault(self, kind: str, **rule: str | float) -> None:
        """Something goes wrong with the next matching request."""
        self.control("/_faults", {"kind": kind, **rule})

    def dashboard(self, product: ProductId, **absolute: str) -> None:
        """A person types values into the Dashboard."""
        self.control(f"/_dashboard/products/{product}", {"absolute": absolute})

    def book(self, *sessions: SessionId) -> list[Outcome]:
        """Hand the worker the sessions as one batch, and whatever follows from it."""
        now = datetime.now(UTC)
        outcomes = on_sales([SessionPaid(account=ACCOUNT, session=s, at=now) for s in sessions], self.deps)
        self.follow(outcomes)
        return list(outcomes)

    def sync(self, product: ProductId) -> Outcome:
        """Tell the worker that the product may differ."""
        return on_product(SyncRequested(account=ACCOUNT, product=product), self.deps)

    def touch(self, product: ProductId) -> None:
        """Mark the product as one to look at."""
        with self.database.transaction() as connection:
            connection.execute("update product set dirty_since = now() where id = %s", (product,))

    def changed(self, product: ProductId) -> None:
        """Hand the worker every `product.updated` event of the product, oldest first, and what follows."""
        for update in self.deps.stripe.product_updates(product, LONG_AGO):
            self.follow([on_product(webhook_of(update), self.deps)])

    def follow(self, outcomes: Iterable[Outcome]) -> None:
        """Hand out the messages that `outcomes` lead to until none is left."""
        waiting = deque(m for o in outcomes if isinstance(o, Done) for m in o.then)
        while waiting:
            message = waiting.popleft()
            self.told.append(message)
            if isinstance(message, ProductChanged | SyncRequested):
                outcome = on_product(message, self.deps)
                waiting.extend(outcome.then if isinstance(outcome, Done) else ())

    def metadata(self, product: ProductId) -> dict[str, str]:
        """What Stripe shows."""
        return dict(self.stripe.v1.products.retrieve(product).to_dict()["metadata"])

    def stock(self, product: ProductId) -> dict[str, str]:
        """The stock keys that Stripe shows, by size."""
        return {
            key.removeprefix("stock").removeprefix("_"): value
            for key, value in self.metadata(product).items()
            if key.startswith("stock") and key != "stock_rev"
        }

    def movements(self, product: ProductId) -> list[tuple[str, str, int]]:
        """(kind, size, delta) of the product's ledger, oldest first."""
        with self.database.transaction() as connection:
            rows = connection.execute(
                "select kind, size, delta from movement where product_id = %s order by id", (product,)
            )
            return [(str(row[0]), str(row[1]), int(row[2])) for row in rows]

    def alerts(self) -> list[tuple[str, str]]:
        """(kind, subject) of all open alerts."""
        with self.database.transaction() as connection:
            rows = connection.execute("select kind, subject from alert where resolved_at is null order by id")
            return [(str(row[0]), str(row[1])) for row in rows]

    def facts(self, kind: str) -> dict[str, Any]:
        """What the only open alert of a kind tells."""
        with self.database.transaction() as connection:
            ((found,),) = connection.execute(
                "select facts from alert where kind = %s and resolved_at is null", (kind,)
            ).fetchall()
            return dict(found)

    def write_states(self, product: ProductId) -> list[str]:
        """The states of the product's writes, in the order of their revs."""
        with self.database.transaction() as connection:
            rows = connection.execute(
                "select state from write where product_id = %s order by rev", (product,)
            )
            return [str(row[0]) for row in rows]


def edit_before_write(
    shop: Shop, product: ProductId, monkeypatch: pytest.MonkeyPatch, edit: Callable[[], None]
) -> None:
    """Let `edit` happen once, between the next look at `product` and the write that follows it."""
    write = shop.deps.stripe.write_metadata
    edits = [edit]

    def edited(wanted: ProductId, body: dict[str, str], key: str) -> object:
        if wanted == product and edits:
            edits.pop()()
        return write(wanted, body, key)

    monkeypatch.setattr(shop.deps.stripe, "write_metadata", edited)
