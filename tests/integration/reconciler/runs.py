"""Runs of jobs, as the database has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.database.pool import Database
from shared.store.jobs import Jobs
from tests.integration.stock_worker.shop import ACCOUNT

AT = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=15)


def planned(database: Database, at: datetime = AT, job: str = "count") -> None:
    """The clock planned the job."""
    with database.transaction() as connection:
        assert Jobs(connection, ACCOUNT).plan(job, at, actor="schedule")


def history(database: Database) -> list[tuple[datetime, str, str]]:
    """(planned for, state, error) of all runs, newest first."""
    with database.transaction() as connection:
        return [(one.planned_at, one.state, one.error) for one in Jobs(connection, ACCOUNT).history()]
