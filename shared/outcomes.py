"""What a handler may answer: done, ignored, retry later, reject; and the exception that pauses a consumer."""

from __future__ import annotations

from dataclasses import dataclass

from shared.messages import Message


@dataclass(frozen=True, slots=True)
class Done:
    """The work is committed; `then` are hints for other workers, published before the acknowledgement."""

    then: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """There was nothing to do, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Try again; after `delay` seconds, or by the retry ladder where it is None."""

    reason: str
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Never again: the message goes to the dead letters with this reason."""

    reason: str


Outcome = Done | Ignored | RetryLater | Reject


class Outage(Exception):
    """Something everybody needs (database, Stripe, broker) is away: pause consuming, count no attempt."""
