"""What the reconciler does with a message from its queue."""

from __future__ import annotations

from shared.messages import JobDue, Message
from shared.outcomes import Outcome, Reject


def on_job(message: Message) -> Outcome:
    """Run the job that is due; one that nobody knows goes to the dead letters with its name."""
    match message:
        case JobDue(job=job):
            return Reject(f"no such job: {job}")
        case _:
            return Reject(f"not a job: {message.type}")
