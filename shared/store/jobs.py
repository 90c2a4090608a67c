"""SQL of the jobs that are planned, run and over: the reconciler and the back office plan, the reconciler runs."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from shared.alerts import JSON
from shared.vocabulary import AccountKey


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job; `state` is planned, running, done, failed or skipped, `error` says why not done."""

    job: str
    planned_at: datetime
    state: str
    actor: str
    reason: str
    started_at: datetime | None
    finished_at: datetime | None
    figures: Mapping[str, JSON]
    error: str


@dataclass(frozen=True, slots=True)
class Planned:
    """When a job runs: cron `times` in `zone`, the next one at `next_at`."""

    job: str
    times: str
    zone: str
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Jobs:
    """An account's jobs, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def plan(self, job: str, planned_at: datetime, *, actor: str, reason: str = "") -> bool:
        """Plan a run; False where somebody has planned it before."""
        return (
            self._connection.execute(
                """
                insert into job_run (account, job, planned_at, actor, reason) values (%s, %s, %s, %s, %s)
                on conflict do nothing
                """,
                (self._account, job, planned_at, actor, reason),
            ).rowcount
            == 1
        )

    def last_planned(self, job: str) -> datetime | None:
        """The latest time that the clock planned `job` for; None where it never did.

        What a clock that was wrong planned for the future does not keep the job waiting until then.
        """
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                select max(planned_at) from job_run
                where account = %s and job = %s and actor = 'schedule' and planned_at < now() + interval '1 hour'
                """,
                (self._account, job),
            ).fetchone()

    def unheard(self, *, planned: float, running: float) -> list[tuple[str, datetime]]:
        """(job, planned_at) of runs whose message may be lost, and note that they are hinted at again now.

        Those that wait since `planned` seconds, and those that began `running` seconds ago or more.
        """
        rows = self._connection.execute(
            """
            update job_run set hinted_at = now()
            where account = %s and (
                (state = 'planned' and hinted_at < now() - make_interval(secs => %s))
                or (state = 'running' and hinted_at < now() - make_interval(secs => %s))
            )
            returning job, planned_at
            """,
            (self._account, planned, running),
        )
        return [(str(row[0]), row[1]) for row in rows]

    def begin(self, job: str, planned_at: datetime) -> JobRun | None:
        """Note that the run begins; None where it is over, or was never planned. Call it `alone`."""
        with self._connection.cursor(row_factory=class_row(JobRun)) as cursor:
            return cursor.execute(
                """
                update job_run set state = 'running', started_at = coalesce(started_at, now())
                where account = %s and job = %s and planned_at = %s and state in ('planned', 'running')
                returning job, planned_at, state, actor, reason, started_at, finished_at, figures, error
                """,
                (self._account, job, planned_at),
            ).fetchone()

    def finish(
        self, job: str, planned_at: datetime, state: str, *, figures: Mapping[str, JSON], error: str = ""
    ) -> None:
        """Note how the run ended: done, failed or skipped."""
        self._connection.execute(
            """
            update job_run set state = %s, finished_at = now(), figures = %s, error = %s
            where account = %s and job = %s and planned_at = %s
            """,
            (state, Jsonb(dict(figures)), error, self._account, job, planned_at),
        )

    def fail_for_now(self, job: str, planned_at: datetime, *, error: str) -> int:
        """Note that the run is to begin again, and why; how often that was so."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                update job_run set failures = failures + 1, error = %s
                where account = %s and job = %s and planned_at = %s returning failures
                """,
                (error, self._account, job, planned_at),
            ).fetchall()[0]

    def skip(self, job: str, planned_at: datetime) -> bool:
        """Leave a run out because another one of its job is not over; False where it has begun itself."""
        return (
            self._connection.execute(
                """
                update job_run set state = 'skipped', finished_at = now(), error = 'the run before it was not over'
                where account = %s and job = %s and planned_at = %s and state = 'planned'
                """,
                (self._account, job, planned_at),
            ).rowcount
            == 1
        )

    def awake_since(self, job: str, gap: timedelta) -> datetime | None:
        """Since when `job` has run without a pause longer than `gap`, at most four of them ago.

        None where it has not run for longer than that, this run apart.
        """
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                with run as (
                    select started_at, finished_at,
                        started_at - lag(finished_at) over (order by started_at) as pause
                    from job_run
                    where account = %(account)s and job = %(job)s and state in ('done', 'failed')
                        and planned_at > now() - 4 * %(gap)s::interval
                )
                select max(started_at) filter (where pause is null or pause > %(gap)s) from run
                having max(finished_at) > now() - %(gap)s::interval
                """,
                {"account": self._account, "job": job, "gap": gap},
            ).fetchone()

    def latest(self) -> list[JobRun]:
        """The latest run of each job that ever ran."""
        with self._connection.cursor(row_factory=class_row(JobRun)) as cursor:
            return cursor.execute(
                """
                select distinct on (job)
                    job, planned_at, state, actor, reason, started_at, finished_at, figures, error
                from job_run where account = %s order by job, planned_at desc
                """,
                (self._account,),
            ).fetchall()

    def history(
        self, job: str | None = None, limit: int = 50, *, before: datetime | None = None
    ) -> list[JobRun]:
        """The latest runs (planned before `before`), of `job` or of all, newest first."""
        with self._connection.cursor(row_factory=class_row(JobRun)) as cursor:
            return cursor.execute(
                """
                select job, planned_at, state, actor, reason, started_at, finished_at, figures, error
                from job_run where account = %s and (%s::text is null or job = %s)
                    and planned_at < coalesce(%s::timestamptz, 'infinity')
                order by planned_at desc, job limit %s
                """,
                (self._account, job, job, before, limit),
            ).fetchall()

    def save_schedules(self, schedules: Sequence[Planned]) -> None:
        """Note when jobs run from now on; those that are not named do not."""
        self._connection.execute(
            "delete from job_schedule where account = %s and job <> all(%s)",
            (self._account, [one.job for one in schedules]),
        )
        self._connection.execute(
            """
            insert into job_schedule (account, job, times, zone, next_at)
            select %s, * from unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[])
            on conflict (account, job) do update
            set times = excluded.times, zone = excluded.zone, next_at = excluded.next_at
            """,
            (
                self._account,
                [one.job for one in schedules],
                [one.times for one in schedules],
                [one.zone for one in schedules],
                [one.next_at for one in schedules],
            ),
        )

    def schedules(self) -> list[Planned]:
        """When jobs run, by name."""
        with self._connection.cursor(row_factory=class_row(Planned)) as cursor:
            return cursor.execute(
                "select job, times, zone, next_at from job_schedule where account = %s order by job",
                (self._account,),
            ).fetchall()

    @contextmanager
    def alone(self, job: str) -> Generator[bool]:
        """Whether nobody else runs `job`; nobody will while the block lasts. On a pinned session."""
        key = f"job {self._account} {job}"
        row = self._connection.execute(
            "select pg_try_advisory_lock(hashtextextended(%s, 0))", (key,)
        ).fetchone()
        taken = row == (True,)
        try:
            yield taken
        finally:
            if taken and not self._connection.closed:
                self._connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", (key,))
