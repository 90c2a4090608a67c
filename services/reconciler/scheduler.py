"""The clock of the reconciler: plans what is due, and tells again of runs whose message was lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Final

from services.reconciler.schedule import Schedule, due
from shared import clock, logs
from shared.broker import runtime
from shared.broker.port import Broker
from shared.database.pool import Connection, Database
from shared.messages import JobDue
from shared.outcomes import Outage
from shared.store.jobs import Jobs, Planned
from shared.vocabulary import AccountKey

LATENESS: Final = timedelta(minutes=2)
"""A run planned later than this was missed: nobody looked when it was due."""
PLANNED_UNHEARD: Final = 60.0
RUNNING_UNHEARD: Final = 900.0
"""Seconds after which a run's message counts as lost. A run that goes on notices that it is told of twice."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Any number may look at once: a run is planned once. `at_start` are jobs that also run when this starts."""

    database: Database
    broker: Broker
    account: AccountKey
    schedules: Mapping[str, Schedule]
    at_start: tuple[str, ...] = ()
    seconds: float = 10.0
    """Seconds between two looks."""

    def run(self, stop: Event) -> None:
        """Look until `stop` is set; an outage costs a look, nothing else."""
        begun, started = clock.now(), False
        while not stop.is_set():
            try:
                if not started:
                    self.begin(begun)  # of one time, so that a try after an outage plans no second run
                    started = True
                self.once(clock.now())
            except Outage as outage:
                log.warning("schedule_postponed", reason=str(outage))
            stop.wait(self.seconds)

    def begin(self, now: datetime) -> int:
        """Plan what runs at every start, whatever the clock says; how many runs. Raises Outage."""
        self.database.run(lambda connection: self._announce(connection, now))
        at = now.replace(microsecond=0)
        return self._plan(dict.fromkeys(self.at_start, (at, "at start")))

    def once(self, now: datetime) -> int:
        """Plan what is due at `now`; how many runs were told of, lost ones too. Raises Outage."""
        found = self.database.run(lambda connection: self._due(connection, now))
        planned = self._plan(found)
        if planned:
            self.database.run(lambda connection: self._announce(connection, now))
        lost = self.database.run(
            lambda c: Jobs(c, self.account).unheard(planned=PLANNED_UNHEARD, running=RUNNING_UNHEARD)
        )
        self._tell(lost)
        return planned + len(lost)

    def _due(self, connection: Connection, now: datetime) -> dict[str, tuple[datetime, str]]:
        jobs = Jobs(connection, self.account)
        found: dict[str, tuple[datetime, str]] = {}
        for job, schedule in self.schedules.items():
            one = due(schedule, jobs.last_planned(job), now, lateness=LATENESS)
            if one is not None:
                found[job] = (one.planned_at, "nobody was there when it was due" if one.missed else "")
        return found

    def _plan(self, wanted: Mapping[str, tuple[datetime, str]]) -> int:
        def plan(connection: Connection) -> list[tuple[str, datetime]]:
            jobs = Jobs(connection, self.account)
            return [
                (job, at)
                for job, (at, reason) in wanted.items()
                if jobs.plan(job, at, actor="schedule", reason=reason)
            ]

        planned = self.database.run(plan) if wanted else []
        self._tell(planned)
        return len(planned)

    def _announce(self, connection: Connection, now: datetime) -> None:
        """Leave a note for people of when everything runs next."""
        Jobs(connection, self.account).save_schedules(
            [
                Planned(job, schedule.expression, schedule.zone.key, schedule.following(now))
                for job, schedule in sorted(self.schedules.items())
            ]
        )

    def _tell(self, runs: list[tuple[str, datetime]]) -> None:
        if runs:
            self.broker.publish(*(runtime.outgoing(JobDue(job=job, planned_at=at)) for job, at in runs))
            log.info("jobs_due", jobs=[job for job, _ in runs])
