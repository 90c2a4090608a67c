"""The composition root of the stock worker: `python -m services.stock_worker`."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Final

from services.stock_worker import handlers
from services.stock_worker.deps import Deps
from services.stock_worker.settings import StockWorkerSettings
from shared import logs
from shared.broker import runtime
from shared.broker.connect import connect
from shared.broker.port import Broker, Subscription
from shared.database import migrate
from shared.database.connect import dsn
from shared.database.errors import EmbeddedFailed, WrongDatabase
from shared.database.pool import Database
from shared.process import stop_event
from shared.settings import WRONG_SETTING, load
from shared.store import writes
from shared.stripe_api import client
from shared.topology import PRODUCTS, SALES
from shared.vocabulary import account_key

BATCH: Final = 50
"""Sessions that one transaction books."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class StockWorker:
    """One process: its broker, what it subscribes to, and its database."""

    broker: Broker
    subscriptions: Sequence[Subscription]
    database: Database

    def run(self, stop: Event) -> None:
        """Work until `stop` is set, finish what is in hand, let go of everything."""
        try:
            self.broker.declare()
            self.broker.consume(self.subscriptions, stop)
        finally:
            self.broker.close()
            self.database.close()


def build(settings: StockWorkerSettings, stop: Event) -> StockWorker:
    """The worker that `settings` describe; raises WrongDatabase, EmbeddedFailed, an Outage."""
    address = dsn(settings)
    migrate.check(address)
    database = Database(address, name="stocksync stock_worker", size=settings.stock_worker_threads + 6)
    database.require_sessions()
    installation = database.run(lambda c: writes.installation(c, secrets.token_hex(4)))
    deps = Deps(
        account=account_key(None, livemode=settings.livemode),
        database=database,
        stripe=client.connect(settings),
        installation=installation,
        low_stock=settings.low_stock_threshold,
        stop=stop,
    )
    broker = connect(settings)
    serve = runtime.Runtime(broker, stop)
    return StockWorker(
        broker,
        [
            Subscription(SALES, serve.batched(partial(handlers.on_sales, deps=deps)), batch=BATCH, workers=1),
            Subscription(
                PRODUCTS,
                serve.single(partial(handlers.on_product, deps=deps)),
                workers=settings.stock_worker_threads,
            ),
        ],
        database,
    )


def run() -> None:
    """Keep stock until told to stop; a wrong setting or database is one line and exit code 2."""
    settings = load(StockWorkerSettings)
    logs.configure("stock_worker", settings.log_level)
    stop = stop_event()
    try:
        worker = build(settings, stop)
    except (WrongDatabase, EmbeddedFailed) as error:
        sys.stderr.write(f"stocksync: DATABASE_URL: {error}\n")
        raise SystemExit(WRONG_SETTING) from None
    log.info("stock_worker_ready", livemode=settings.livemode, simulator=settings.uses_simulator)
    worker.run(stop)


if __name__ == "__main__":
    run()
