"""The composition root of the reconciler: `python -m services.reconciler`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Final

from services.reconciler import canary, handlers, snapshot, verify
from services.reconciler.announcer import FEED, Announcer
from services.reconciler.jobs import Job, Shop, Tools
from services.reconciler.parked import ParkedLetters
from services.reconciler.recover import recover
from services.reconciler.report import make_report
from services.reconciler.scheduler import Scheduler
from services.reconciler.settings import ReconcilerSettings
from services.reconciler.sweep import Sweep
from shared import paced_stripe, worker
from shared.broker import runtime
from shared.broker.connect import connect, topic
from shared.broker.port import Subscription
from shared.database import migrate
from shared.database.connect import dsn
from shared.database.pool import Database
from shared.topology import JOBS
from shared.vocabulary import JobName, ProductId, account_key
from shared.worker import Worker

JOB_RUNNERS: Final[Mapping[str, Job]] = {
    JobName.RECOVER: recover,
    JobName.SNAPSHOT: snapshot.take,
    JobName.VERIFY: verify.verify,
    JobName.REPORT: make_report,
    JobName.CANARY: canary.sing,
}
"""What runs when a job is due, by its name."""
AT_ONCE: Final = 3
"""Jobs of different names that one process runs beside each other."""


def build(settings: ReconcilerSettings, stop: Event) -> Worker:
    """The reconciler that `settings` describe; raises WrongDatabase, an Outage."""
    address = dsn(settings)
    migrate.check(address)
    database = Database(address, name="stocksync reconciler", size=5 + 3 * AT_ONCE)
    database.require_sessions()
    broker = connect(settings)
    account = account_key(None, livemode=settings.livemode)
    tools = Tools(
        account,
        database,
        broker,
        paced_stripe.connect(settings, database, stop),
        stop,
        shop=Shop(settings.time_zone, settings.low_stock_threshold),
        silence=timedelta(hours=settings.webhook_silence_hours),
        confirm_seconds=settings.verify_confirm_seconds,
        canary=ProductId(settings.canary_product) if settings.canary_product else None,
    )
    on_job = runtime.Runtime(broker, stop).single(partial(handlers.on_job, jobs=JOB_RUNNERS, tools=tools))
    sweep = Sweep(database, broker, settings.sweep_seconds)
    parked = ParkedLetters(database, broker, account)
    schedules = {job: times for job, times in settings.schedules.items() if job in JOB_RUNNERS}
    at_start = tuple(job for job in (JobName.RECOVER,) if job in schedules)
    scheduler = Scheduler(database, broker, account, schedules, at_start)
    jobs = Subscription(JOBS, on_job, workers=AT_ONCE)
    others = topic(settings, FEED)
    announcer = [] if others is None else [Announcer(database, others, account).run]
    return Worker(broker, [jobs], database, beside=[sweep.run, parked.run, scheduler.run, *announcer])


if __name__ == "__main__":
    worker.main("reconciler", ReconcilerSettings, build)
