"""A shop whose webhooks did not arrive, and what works off what is told of them again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event, Thread

import pytest

from services.stock_worker import refunds
from services.stock_worker.handlers import on_product, on_sales
from services.stock_worker.refunds import on_refund
from shared.broker import runtime
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Subscription
from shared.topology import PRODUCTS, REFUNDS, SALES
from shared.vocabulary import ProductId
from tests.integration.stock_worker.events.telling import ready
from tests.integration.stock_worker.shop import Shop
from tests.support.command import Command, stocksync
from tests.support.waiting import until


@pytest.fixture
def command(shop: Shop, database_url: str) -> Command:
    """Runs `stocksync events` on the test's shop and database."""
    return partial(
        stocksync,
        "events",
        DATABASE_URL=database_url,
        STRIPE_API_BASE=shop.url,
        COLUMNS="250",
        LOG_LEVEL="INFO",
    )


@pytest.fixture
def shirt(shop: Shop) -> ProductId:
    """A shirt of which there are 9."""
    product = shop.product(sizes="M", stock_M="9")
    shop.sync(product)
    return product


@pytest.fixture
def work(shop: Shop, desk: refunds.Desk, queue: EmbeddedBroker) -> Callable[[], None]:
    """Has the stock worker's handlers work off whatever is in its queues."""

    def work_off() -> None:
        stop = Event()
        serve = runtime.Runtime(queue, stop)
        subscriptions = [
            Subscription(SALES, serve.batched(partial(on_sales, deps=shop.deps))),
            Subscription(PRODUCTS, serve.single(partial(on_product, deps=shop.deps))),
            Subscription(REFUNDS, serve.single(partial(on_refund, desk=desk))),
        ]
        consumer = Thread(target=queue.consume, args=(subscriptions, stop))
        consumer.start()
        until("empty queues", lambda: not any(ready(queue).values()))
        stop.set()
        consumer.join(30)

    return work_off
