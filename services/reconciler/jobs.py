"""What every job is handed and answers, and running one: alone, once, and with its end on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Final

from shared import logs
from shared.alerts import JSON, AlertKey, NewAlert
from shared.broker.port import Broker
from shared.database.pool import Connection, Database
from shared.messages import AlertOpened
from shared.outcomes import Done, Ignored, Outage, Outcome, RetryLater
from shared.store.alerts import Alerts
from shared.store.jobs import JobRun, Jobs
from shared.stripe_api.answers import StripeFailed, StripeRefused
from shared.stripe_api.client import StripeApi
from shared.vocabulary import AccountKey, AlertKind, ProductId

log = logs.get(__name__)

Figures = Mapping[str, JSON]
"""What a run did, by name: `{"products": 1200, "findings": 2}`; people read it in the history."""


class JobFailed(Exception):
    """The job can't do its work, and trying again would not help; the text is for people."""


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop's own clock, and its threshold of low stock in units."""

    time_zone: str = "UTC"
    low_stock: int = 5


@dataclass(frozen=True, slots=True)
class Tools:
    """What jobs work with. Stripe is only read; what is found leaves as messages."""

    account: AccountKey
    database: Database
    broker: Broker
    stripe: StripeApi
    stop: Event
    shop: Shop = Shop()
    silence: timedelta = timedelta()
    """So long may Stripe show sales and no webhook come before people are told; 0: for ever."""
    confirm_seconds: float = 60.0
    """Between the two looks that make a difference a finding."""
    rests: tuple[float, ...] = (5, 30, 120)
    """Seconds before a list is begun again that Stripe failed to answer; the last repeats."""
    canary: ProductId | None = None
    """The product that may be disturbed on purpose."""


Job = Callable[[JobRun, Tools], Figures]
"""Does the work of one run; raises JobFailed, StripeFailed, or an Outage to be run again from the start.

After StripeFailed and StripeRefused it begins again as well, but only BEGUN_AGAIN times.
"""

BEGUN_AGAIN: Final = 4
"""By the retry ladder that takes a quarter of an hour; of a few seconds of trouble nobody need hear."""

UNKNOWN: Final = "nobody knows this job"


def run(jobs: Mapping[str, Job], name: str, planned_at: datetime, tools: Tools) -> Outcome:
    """Run `name` as planned for `planned_at`, unless it is over or runs just now; raises an Outage."""
    with tools.database.session() as connection:
        books = Jobs(connection, tools.account)
        with books.alone(name) as alone:
            if not alone:
                return _overlapping(tools, name, planned_at)
            started = books.begin(name, planned_at)
            if started is None:
                return Ignored("the run is over, or was never planned")
            return _finish(jobs.get(name), started, tools)


def _overlapping(tools: Tools, name: str, planned_at: datetime) -> Outcome:
    """Another run of the job is not over: this one is left out, unless it is that very run, told of twice."""

    def skip(connection: Connection) -> bool:
        return Jobs(connection, tools.account).skip(name, planned_at)

    if tools.database.run(skip):
        log.warning("job_skipped", job=name, planned_at=planned_at.isoformat())
    return Ignored("the job runs just now")


def _finish(job: Job | None, started: JobRun, tools: Tools) -> Outcome:
    log.info("job_started", job=started.job, planned_at=started.planned_at.isoformat())
    try:
        figures = job(started, tools) if job is not None else _unknown()
    except JobFailed as failure:
        return _failed(started, str(failure), tools)
    except (StripeFailed, StripeRefused) as failure:  # it may pass
        return _failed_for_now(started, str(failure), tools)
    except Outage:
        raise
    except Exception as error:
        log.exception("job_broke", job=started.job, error=type(error).__name__)
        return _failed(started, f"an error nobody foresaw ({type(error).__name__})", tools)

    def record(connection: Connection) -> None:
        jobs = Jobs(connection, tools.account)
        jobs.finish(started.job, started.planned_at, "done", figures=figures)
        Alerts(connection, tools.account).resolve([AlertKey(AlertKind.JOB_FAILED, started.job)])

    tools.database.run(record)
    log.info("job_done", job=started.job, planned_at=started.planned_at.isoformat(), figures=dict(figures))
    return Done()


def _unknown() -> Figures:
    raise JobFailed(UNKNOWN)


def _failed_for_now(started: JobRun, why: str, tools: Tools) -> Outcome:
    """Have the run begin again, but not for ever."""

    def record(connection: Connection) -> int:
        jobs = Jobs(connection, tools.account)
        return jobs.fail_for_now(started.job, started.planned_at, error=why)

    if tools.database.run(record) > BEGUN_AGAIN:
        return _failed(started, why, tools)
    log.warning("job_postponed", job=started.job, planned_at=started.planned_at.isoformat(), reason=why)
    return RetryLater(why)


def _failed(started: JobRun, why: str, tools: Tools) -> Outcome:
    facts = {"job": started.job, "reason": why, "planned_at": started.planned_at.isoformat()}
    alert = NewAlert(tools.account, AlertKind.JOB_FAILED, started.job, facts)

    def record(connection: Connection) -> list[int]:
        jobs = Jobs(connection, tools.account)
        jobs.finish(started.job, started.planned_at, "failed", figures={}, error=why)
        return Alerts(connection, tools.account).raise_([alert])

    raised = tools.database.run(record)
    log.error("job_failed", job=started.job, planned_at=started.planned_at.isoformat(), reason=why)
    return Done(then=tuple(AlertOpened(alert=number) for number in raised))
