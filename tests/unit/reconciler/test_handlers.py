from __future__ import annotations

from datetime import UTC, datetime

from services.reconciler.handlers import on_job
from shared.messages import AlertOpened, JobDue
from shared.outcomes import Reject


def test_an_unknown_job_is_rejected_by_name() -> None:
    """A job that nobody knows becomes a dead letter that says its name."""
    job = JobDue(job="tidy", planned_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert on_job(job) == Reject("no such job: tidy")


def test_what_is_no_job_is_rejected() -> None:
    """A message of another kind that reached the queue of jobs is rejected with its kind."""
    assert on_job(AlertOpened(alert=1)) == Reject("not a job: alert.opened")
