"""The composition root of the stock worker: `python -m services.stock_worker`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Final

from services.stock_worker import handlers
from services.stock_worker.deps import Deps
from services.stock_worker.refunds import Desk, on_refund
from services.stock_worker.selling import Seller
from services.stock_worker.settings import StockWorkerSettings
from services.stock_worker.shopfront import Shopfront
from services.stock_worker.sql_books import SqlBooks, SqlLooks
from shared import paced_stripe, worker
from shared.broker import runtime
from shared.broker.connect import connect
from shared.broker.port import Subscription
from shared.database import migrate
from shared.database.connect import dsn
from shared.database.pool import Database
from shared.store import installations
from shared.stripe_api.client import StripeApi
from shared.topology import PRODUCTS, REFUNDS, SALES
from shared.vocabulary import AccountKey, account_key
from shared.worker import Worker

BATCH: Final = 100
"""Sessions that one transaction books; as many as one page of Stripe's list holds."""


def build(settings: StockWorkerSettings, stop: Event) -> Worker:
    """The worker that `settings` describe; raises WrongDatabase, an Outage."""
    address = dsn(settings)
    migrate.check(address)
    threads = settings.stock_worker_threads
    size = 2 * threads + 12  # a sync holds one connection while it asks for turns on another
    database = Database(address, name="stocksync stock_worker", size=size)
    database.require_sessions()
    account = account_key(None, livemode=settings.livemode)
    installation = database.run(lambda c: installations.current(c, secrets.token_hex(4)))
    stripe = paced_stripe.connect(settings, database, stop)
    deps = Deps(
        account=account,
        books=SqlBooks(database, account),
        stripe=stripe,
        installation=installation.id,
        former=frozenset(installation.former),
        low_stock=settings.low_stock_threshold,
        stop=stop,
        restore_edits=settings.external_edits == "restore",
        looks=SqlLooks(database, account),
        keep_customers=settings.keep_customer_details,
    )
    refunds = Desk(account, database, stripe, settings.refund_restock)
    broker = connect(settings)
    serve = runtime.Runtime(broker, stop)
    on_sales = serve.batched(partial(handlers.on_sales, deps=deps))
    on_product = serve.single(partial(handlers.on_product, deps=deps))
    of_refunds = serve.single(partial(on_refund, desk=refunds))
    return Worker(
        broker,
        [
            Subscription(SALES, on_sales, batch=BATCH),
            Subscription(PRODUCTS, on_product, workers=threads),
            Subscription(REFUNDS, of_refunds),
        ],
        database,
        beside=_beside(settings, account, database, stripe),
    )


def _beside(
    settings: StockWorkerSettings, account: AccountKey, database: Database, stripe: StripeApi
) -> list[Callable[[Event], None]]:
    front = Shopfront(account, database, stripe.selling)
    return [
        partial(paced_stripe.tell_usage, database=database, account=account),
        Seller(front, settings.stop_selling, expire=settings.expire_sessions).run,
    ]


if __name__ == "__main__":
    worker.main("stock_worker", StockWorkerSettings, build)
