"""A shop whose webhooks go nowhere, the job that finds what they would have told, and a stock worker that books it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Thread
from typing import Any

import requests
import stripe

from services.reconciler.jobs import Figures, Tools
from services.reconciler.recover import recover
from services.stock_worker import handlers
from services.stock_worker.deps import Deps
from services.stock_worker.sql_books import SqlBooks
from services.stripe_simulator.simulator import Simulator
from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Ack, DeadLetter, Delivery, Handle, Subscription, Verdict
from shared.broker.runtime import Runtime
from shared.database.pool import Database
from shared.messages import Message, SessionPaid, decode
from shared.recovery.plan import Why
from shared.recovery.search import Places
from shared.store import installations
from shared.store.jobs import JobRun
from shared.stripe_api.client import StripeApi
from shared.topology import PRODUCTS, SALES
from shared.vocabulary import ProductId, SessionId
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.waiting import until

KEY = "sk_test_shop"
HOUR = 3600
NOWHERE = "http://127.0.0.1:9/webhooks/stripe"
SALES_ONLY = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
UNDELIVERED, NO_EVENT, LOST = (why.value for why in (Why.UNDELIVERED, Why.NO_EVENT, Why.LOST))
FIGURES = {"missed_sales": 0, "missed_product_changes": 0}


@dataclass(slots=True)
class Scene:
    """A shop, the job's tools, the queue between them, and the simulator itself."""

    shop: Shop
    tools: Tools
    queue: EmbeddedBroker
    simulator: Simulator

    @property
    def places(self) -> Places:
        """Where the search looks."""
        tools = self.tools
        return Places(tools.account, tools.database, tools.broker, tools.stripe, tools.stop)

    def run(self, tools: Tools | None = None, *, patience: float = 20) -> Figures:
        """One run of the job; a sale that nobody books is not waited for longer than `patience`."""
        now = clock.now()
        started = JobRun("recover", now, "running", "tests", "", now, None, {}, "")
        return recover(started, tools or self.tools, patience=patience)

    def sell(self, product: ProductId, count: int = 1) -> list[SessionId]:
        """So many customers buy one of size M."""
        body = {"product": product, "size": "M", "count": count}
        return [SessionId(one) for one in self.shop.control("/_checkout/paid", body)["sessions"]]

    def age(self, seconds: int = HOUR) -> None:
        """Everything that was sold so far was sold so much earlier."""
        self.shop.control("/_checkout/age", {"seconds": seconds})

    def reads(self) -> dict[str, int]:
        """Calls of Stripe's API by endpoint since the last time this was asked."""
        seen = requests.get(f"{self.shop.url}/_requests", params={"limit": 0}, timeout=10).json()
        requests.delete(f"{self.shop.url}/_requests", timeout=10).raise_for_status()
        return seen["by_endpoint"]

    def park(self, queue: str) -> None:
        """Whatever waits in `queue` is put aside."""
        self._work_off(queue, lambda deliveries: [DeadLetter("nobody understands it") for _ in deliveries])

    def oracle(self, product: ProductId) -> dict[str, int]:
        """What Stripe ought to show."""
        return requests.get(f"{self.shop.url}/_oracle", timeout=30).json()["stock"][product]

    def sales(self) -> dict[str, tuple[str, str, timedelta | None]]:
        """(origin, reason, delay) of every booked session."""
        with self.tools.database.transaction() as connection:
            rows = connection.execute("select session_id, origin, reason, delay from sale")
            return {str(row[0]): (str(row[1]), str(row[2]), row[3]) for row in rows}

    def alert(self) -> list[tuple[dict[str, Any], int]]:
        """(facts, revision) of the open alerts of recovered sales."""
        with self.tools.database.transaction() as connection:
            rows = connection.execute(
                "select facts, revision from alert where kind = 'sale_recovered' and resolved_at is null"
            )
            return [(row[0], int(row[1])) for row in rows]

    def execute(self, statement: bytes) -> None:
        """Change the database behind everybody's back."""
        with self.tools.database.transaction() as connection:
            connection.execute(statement)

    def waiting(self, queue: str = SALES) -> list[Message]:
        """Take what waits in the queue out of it."""
        found: list[Message] = []

        def take(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
            found.extend(decode(delivery.body) for delivery in deliveries)
            return [Ack()] * len(deliveries)

        self._work_off(queue, take)
        return found

    def _work_off(self, queue: str, handle: Handle) -> None:
        stop = Event()
        consumer = Thread(target=self.queue.consume, args=([Subscription(queue, handle, batch=100)], stop))
        consumer.start()
        until("the queue to be empty", lambda: self.queue.depth(queue).ready == 0)
        stop.set()
        consumer.join(20)

    @contextmanager
    def worker(self) -> Generator[None]:
        """A stock worker that books what arrives meanwhile."""
        stop = Event()
        serve = Runtime(self.queue, stop)
        on_sales = serve.batched(partial(handlers.on_sales, deps=self.shop.deps))
        on_product = serve.single(partial(handlers.on_product, deps=self.shop.deps))
        subscriptions = [
            Subscription(SALES, on_sales, batch=100),
            Subscription(PRODUCTS, on_product, workers=2),
        ]
        consumer = Thread(target=self.queue.consume, args=(subscriptions, stop))
        consumer.start()
        try:
            yield
            until("all products to be synced", lambda: self.queue.depth(PRODUCTS).ready == 0)
        finally:
            stop.set()
            consumer.join(20)


def open_scene(
    simulator: Simulator, database: Database, queue: EmbeddedBroker, silence: timedelta = timedelta()
) -> Scene:
    """An empty shop on a database that has been here for a month."""
    client = stripe.StripeClient(KEY, base_addresses={"api": simulator.url})
    api = StripeApi(KEY, simulator.url)
    deps = Deps(ACCOUNT, SqlBooks(database, ACCOUNT), api, "testing", frozenset(), 5, Event(), pace=0)
    tools = Tools(ACCOUNT, database, queue, StripeApi(KEY, simulator.url), Event(), silence=silence)
    scene = Scene(Shop(simulator.url, deps, database, client), tools, queue, simulator)
    scene.shop.control("/_reset")
    database.run(lambda connection: installations.current(connection, "testing"))
    scene.execute(b"update installation set created_at = now() - interval '30 days'")
    return scene


def told(session: SessionId) -> SessionPaid:
    """What the webhook of the session would have told."""
    return SessionPaid(
        account=ACCOUNT, session=session, at=datetime.now(UTC), event_type="checkout.session.completed"
    )
