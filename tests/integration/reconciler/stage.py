"""A shop, a stock worker that serves its queue, and the reconciler's jobs, all on one real database."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Thread
from typing import Any

import requests
import stripe

from services.reconciler.__main__ import JOB_RUNNERS
from services.reconciler.jobs import Tools, run
from services.stock_worker.deps import Deps
from services.stock_worker.handlers import on_product
from services.stock_worker.sql_books import SqlBooks, SqlLooks
from services.stripe_simulator.simulator import Simulator
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Subscription
from shared.broker.runtime import Runtime, outgoing
from shared.database.pool import Database
from shared.messages import ProductChanged
from shared.outcomes import Done
from shared.store.findings import Finding, Findings
from shared.store.jobs import JobRun, Jobs
from shared.stripe_api.client import StripeApi
from shared.topology import PRODUCTS
from shared.vocabulary import EventId, ProductId
from tests.integration.stock_worker.shop import ACCOUNT, Shop

KEY = "sk_test_shop"
BEGAN = datetime(2026, 5, 4, 3, 15, tzinfo=UTC)


@dataclass(slots=True)
class Stage:
    """What a test does to the shop, and how it runs jobs."""

    shop: Shop
    tools: Tools
    simulator: Simulator
    runs: int = 0

    def job(self, name: str) -> JobRun:
        """Run a job once, as the clock would; its record, which must be good."""
        self.runs += 1
        at = BEGAN + timedelta(minutes=self.runs)
        with self.tools.database.transaction() as connection:
            assert Jobs(connection, ACCOUNT).plan(name, at, actor="ada", reason="a test")
        assert run(JOB_RUNNERS, name, at, self.tools) == Done()
        with self.tools.database.transaction() as connection:
            return next(one for one in Jobs(connection, ACCOUNT).history(name) if one.planned_at == at)

    def findings(self, *states: str) -> list[Finding]:
        """Findings in these states, or all, oldest first."""
        wanted = states or ("open", "acknowledged", "resolved")
        with self.tools.database.transaction() as connection:
            return Findings(connection, ACCOUNT).latest(wanted, 10_000)[::-1]

    def shirts(self, count: int) -> list[ProductId]:
        """New products in two sizes that bear our marker: one of each was sold."""
        made = [self.shop.product(sizes="S,M", stock_S="50", stock_M="20") for _ in range(count)]
        for product in made:
            self.shop.sync(product)
        self.shop.book(self.shop.sold(*[self.shop.line(product, "S") for product in made]))
        return made

    def webhook(self, product: ProductId, number: int) -> None:
        """Stripe tells of an edit."""
        told = ProductChanged(
            account=ACCOUNT,
            product=product,
            event=EventId(f"evt_{product}_{number}"),
            change="updated",
            at=datetime.now(UTC),
        )
        self.tools.broker.publish(outgoing(told), timeout=30)

    def delete(self, product: ProductId) -> None:
        """A person deletes the product."""
        requests.delete(f"{self.shop.url}/_dashboard/products/{product}", timeout=30).raise_for_status()

    def execute(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - whatever a statement takes
        """Somebody is in the database by hand."""
        with self.tools.database.transaction() as connection:
            connection.execute(statement.encode(), values)


@contextmanager
def built(
    database: Database, queue: EmbeddedBroker, *, confirm_seconds: float = 0.3, working: bool = True
) -> Generator[Stage]:
    """A stage; its stock worker serves the queue of products until the end, where it is `working`."""
    stop = Event()
    with Simulator.start(port=0) as simulator:
        api = StripeApi(KEY, simulator.url)
        deps = Deps(ACCOUNT, SqlBooks(database, ACCOUNT), api, "testing", frozenset(), 5, Event(), pace=0)
        deps = replace(deps, looks=SqlLooks(database, ACCOUNT))
        client = stripe.StripeClient(KEY, base_addresses={"api": simulator.url})
        handle = Runtime(queue, stop).single(partial(on_product, deps=deps))
        serving = [Subscription(PRODUCTS, handle, workers=4)]
        worker = Thread(target=queue.consume, args=(serving, stop), name="stock worker")
        if working:
            worker.start()
        tools = Tools(ACCOUNT, database, queue, api, stop, confirm_seconds=confirm_seconds)
        try:
            yield Stage(Shop(simulator.url, deps, database, client), tools, simulator)
        finally:
            stop.set()
            if working:
                worker.join(30)
