from __future__ import annotations

from services.backoffice.operations.jobs import RUNNABLE
from services.reconciler.__main__ import JOB_RUNNERS


def test_a_person_may_run_exactly_the_jobs_there_are() -> None:
    """What the command takes is what the reconciler runs, whatever the size of the store plans."""
    assert frozenset(JOB_RUNNERS) == RUNNABLE
