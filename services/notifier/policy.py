"""How patient the notifier is and how much it tells, as data; seconds and counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo

from services.notifier.quiet import QuietHours


@dataclass(frozen=True, slots=True)
class Policy:
    """When a mail is due, how long to wait after a failure, how much one mail shows."""

    sweep: float = 30  # how often to look for what a lost hint left behind
    gather: float = 2  # how long nothing new must come in, so that a burst is one mail
    gather_at_most: float = 15
    gather_over: float = 60  # what is over is in no hurry: most of it rides with the next news
    gather_over_at_most: float = 600
    pause: float = 5  # after the first mail of an hour; doubles with each further one
    pause_at_most: float = 900
    abandoned_after: float = (
        840  # a claim this old was left by a crash; longer than a send takes, `mailer.LONGEST`
    )
    backoff: tuple[float, ...] = (10, 30, 60, 120, 300, 600, 900)
    patient_attempts: int = 4  # for a recipient that is refused for now while others are not
    claim_at_most: int = 20_000
    shown_per_kind: int = 25
    sessions_shown: int = 10
    examples_shown: int = 5
    recoveries: bool = True  # whether people are told that something they were told of is over
    quiet: QuietHours | None = None
    zone: tzinfo = UTC  # in which mails give the time
    push_every: float = 5  # seconds between two looks for what is pushed beside mail
    push_pause: float = 60  # least time between two pushes
