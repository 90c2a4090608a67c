"""What is to be done about a verified event: a pure decision, admission before translation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.ingest.outcome import Outcome
from shared import stripe_events
from shared.messages import Message, ProblemNoticed
from shared.vocabulary import AlertKind, EventId, account_key


@dataclass(frozen=True, slots=True)
class Policy:
    """Whose events are let in: one mode, our own account, and the connected accounts named here."""

    livemode: bool
    accounts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """How the webhook ends once `messages` are confirmed; `note` is for the log."""

    outcome: Outcome
    event: EventId | None = None
    messages: tuple[Message, ...] = ()
    note: str = ""


def decide(event: Mapping[str, Any], policy: Policy) -> Decision:
    """The decision about `event` (parsed, verified); raises Surprising."""
    if event.get("object") == "v2.core.event":
        return Decision(Outcome.THIN_EVENT)
    if event.get("object") != "event":
        raise stripe_events.Surprising("object")
    identity = stripe_events.event_id(event)
    if stripe_events.livemode(event) is not policy.livemode:
        problem = _problem(AlertKind.LIVEMODE_MISMATCH, policy, "an event of the other mode arrived")
        return Decision(Outcome.LIVEMODE_MISMATCH, identity, (problem,))
    owner = stripe_events.account(event)
    if owner is not None and owner not in policy.accounts:
        return Decision(
            Outcome.UNKNOWN_ACCOUNT, identity, (_problem(AlertKind.UNKNOWN_ACCOUNT, policy, owner),)
        )
    result = stripe_events.translate(event)
    if isinstance(result, stripe_events.Ignore):
        return Decision(Outcome.IGNORED, identity, note=result.reason)
    return Decision(Outcome.ACCEPTED, identity, result)


def _problem(kind: AlertKind, policy: Policy, subject: str) -> ProblemNoticed:
    """One subject for each cause, so that a storm of events stays one alert."""
    return ProblemNoticed(account=account_key(None, livemode=policy.livemode), kind=kind, subject=subject)
