"""What the reconciler does with a message from its queue."""

from __future__ import annotations

from collections.abc import Mapping

from services.reconciler.jobs import Job, Tools, run
from shared.messages import JobDue, Message
from shared.outcomes import Outcome, Reject


def on_job(message: Message, jobs: Mapping[str, Job], tools: Tools) -> Outcome:
    """Run the job that is due."""
    match message:
        case JobDue(job=job, planned_at=planned_at):
            return run(jobs, job, planned_at, tools)
        case _:
            return Reject(f"not a job: {message.type}")
