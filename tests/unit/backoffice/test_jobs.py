from __future__ import annotations

from services.reconciler.__main__ import JOB_RUNNERS
from shared.vocabulary import JobName


def test_a_person_may_run_exactly_the_jobs_there_are() -> None:
    """What the command takes is what the reconciler runs, whatever the size of the store plans."""
    assert frozenset(JOB_RUNNERS) == frozenset(JobName)
