"""The composition root of the reconciler: `python -m services.reconciler`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event, Thread

from services.reconciler import handlers
from services.reconciler.settings import ReconcilerSettings
from services.reconciler.sweep import Sweep
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
from shared.topology import JOBS

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """One process: its broker and subscriptions, and the sweep beside them."""

    broker: Broker
    subscriptions: Sequence[Subscription]
    sweep: Sweep
    database: Database

    def run(self, stop: Event) -> None:
        """Work until `stop` is set, finish what is in hand, let go of everything."""
        sweeper = Thread(target=self.sweep.run, args=(stop,), name="sweep")
        sweeper.start()
        try:
            self.broker.declare()
            self.broker.consume(self.subscriptions, stop)
        finally:
            stop.set()
            sweeper.join()
            self.broker.close()
            self.database.close()


def build(settings: ReconcilerSettings, stop: Event) -> Reconciler:
    """The reconciler that `settings` describe; raises WrongDatabase, EmbeddedFailed, an Outage."""
    address = dsn(settings)
    migrate.check(address)
    database = Database(address, name="stocksync reconciler", size=4)
    broker = connect(settings)
    serve = runtime.Runtime(broker, stop)
    return Reconciler(
        broker,
        [Subscription(JOBS, serve.single(handlers.on_job))],
        Sweep(database, broker, settings.sweep_seconds),
        database,
    )


def run() -> None:
    """Reconcile until told to stop; a wrong setting or database is one line and exit code 2."""
    settings = load(ReconcilerSettings)
    logs.configure("reconciler", settings.log_level)
    stop = stop_event()
    try:
        reconciler = build(settings, stop)
    except (WrongDatabase, EmbeddedFailed) as error:
        sys.stderr.write(f"stocksync: DATABASE_URL: {error}\n")
        raise SystemExit(WRONG_SETTING) from None
    log.info("reconciler_ready", sweep_seconds=settings.sweep_seconds)
    reconciler.run(stop)


if __name__ == "__main__":
    run()
