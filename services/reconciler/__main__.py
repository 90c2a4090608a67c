"""The composition root of the reconciler: `python -m services.reconciler`."""

from __future__ import annotations

from threading import Event

from services.reconciler import handlers
from services.reconciler.settings import ReconcilerSettings
from services.reconciler.sweep import Sweep
from shared import worker
from shared.broker import runtime
from shared.broker.connect import connect
from shared.broker.port import Subscription
from shared.database import migrate
from shared.database.connect import dsn
from shared.database.pool import Database
from shared.topology import JOBS
from shared.worker import Worker


def build(settings: ReconcilerSettings, stop: Event) -> Worker:
    """The reconciler that `settings` describe; raises WrongDatabase, an Outage."""
    address = dsn(settings)
    migrate.check(address)
    database = Database(address, name="stocksync reconciler", size=4)
    broker = connect(settings)
    on_job = runtime.Runtime(broker, stop).single(handlers.on_job)
    sweep = Sweep(database, broker, settings.sweep_seconds)
    return Worker(broker, [Subscription(JOBS, on_job)], database, beside=[sweep.run])


if __name__ == "__main__":
    worker.main("reconciler", ReconcilerSettings, build)
