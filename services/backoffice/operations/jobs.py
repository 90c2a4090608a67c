"""The jobs of the reconciler: what ran, and running one now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.backoffice.operations.hints import publish
from shared import clock
from shared.broker.port import Broker
from shared.database.pool import Connection, Database
from shared.messages import JobDue
from shared.outcomes import Outage
from shared.store.jobs import JobRun, Jobs, Planned
from shared.vocabulary import AccountKey, JobName


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that was asked for; `hinted` is False where the queue was away: the reconciler finds it then."""

    job: str
    planned_at: datetime
    hinted: bool


def run_now(database: Database, broker: Broker, account: AccountKey, job: str, *, actor: str) -> Asked:
    """Have `job` run now; raises DatabaseOutage."""
    at = clock.now()
    database.run(lambda connection: Jobs(connection, account).plan(job, at, actor=actor))
    try:
        publish(broker, [JobDue(job=job, planned_at=at)])
    except Outage:
        return Asked(job, at, hinted=False)
    return Asked(job, at, hinted=True)


@dataclass(frozen=True, slots=True)
class Known:
    """A job with its times (None: only by hand) and its latest run (None: never)."""

    job: str
    planned: Planned | None
    latest: JobRun | None


def known(database: Database, account: AccountKey) -> list[Known]:
    """All jobs that there are, and what ran under another name before, by name; raises DatabaseOutage."""

    def read(connection: Connection) -> list[Known]:
        jobs = Jobs(connection, account)
        planned = {one.job: one for one in jobs.schedules()}
        latest = {run.job: run for run in jobs.latest()}
        names = sorted({*map(str, JobName), *planned, *latest})
        return [Known(job, planned.get(job), latest.get(job)) for job in names]

    return database.run(read)


def history(
    database: Database, account: AccountKey, job: str | None, limit: int, *, before: datetime | None = None
) -> list[JobRun]:
    """The latest runs (planned before `before`), of `job` or of all, newest first; raises DatabaseOutage."""
    return database.run(lambda c: Jobs(c, account).history(job, limit, before=before))
