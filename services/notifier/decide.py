"""When a mail is due, which alerts it tells of, how long to wait after a failure: facts in, decisions out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.notifier.policy import Policy
from shared.alerts import Claim, ClaimedAlert, Waiting
from shared.vocabulary import AccountKey, AlertKind

ALWAYS_TOLD: Final = frozenset({AlertKind.OVERSOLD, AlertKind.UNPLACED_SALE})
"""Kinds that a person must deal with even after the cause is over: somebody paid."""

SEVERITY: Final = (
    AlertKind.STRIPE_REFUSED,
    AlertKind.BROKER_REFUSED,
    AlertKind.WEBHOOK_SILENCE,
    AlertKind.DEAD_LETTER,
    AlertKind.JOB_FAILED,
    AlertKind.OVERSOLD,
    AlertKind.UNPLACED_SALE,
    AlertKind.FINDING,
    AlertKind.QUARANTINE,
    AlertKind.REFUND_PROPOSED,
    AlertKind.SALE_RECOVERED,
    AlertKind.LIVEMODE_MISMATCH,
    AlertKind.UNKNOWN_ACCOUNT,
    AlertKind.OUT_OF_STOCK,
    AlertKind.LOW_STOCK,
)
"""The order in which a mail tells."""


@dataclass(frozen=True, slots=True)
class Digest:
    """One mail's worth: what it tells of, gravest first, and what was over before anybody was told."""

    told: tuple[ClaimedAlert, ...]
    over: tuple[ClaimedAlert, ...]


def digest(claim: Claim) -> Digest:
    """The newest state of what was claimed: a flood is one mail, and what is over is not told."""
    out = {
        (alert.account, alert.subject)
        for alert in claim.alerts
        if alert.kind is AlertKind.OUT_OF_STOCK and alert.resolved_at is None
    }
    over = tuple(alert for alert in claim.alerts if _is_over(alert) or _is_superseded(alert, out))
    dropped = {alert.id for alert in over}
    told = [alert for alert in claim.alerts if alert.id not in dropped]
    return Digest(tuple(sorted(told, key=_rank)), over)


def _is_over(alert: ClaimedAlert) -> bool:
    return alert.resolved_at is not None and alert.kind not in ALWAYS_TOLD


def _is_superseded(alert: ClaimedAlert, out: set[tuple[AccountKey, str]]) -> bool:
    return alert.kind is AlertKind.LOW_STOCK and (alert.account, alert.subject) in out


def _rank(alert: ClaimedAlert) -> tuple[int, str, int, str]:
    """Gravest kind first, within an account the fewest units first."""
    units = alert.on_hand if alert.on_hand is not None else 0
    return SEVERITY.index(alert.kind), alert.account, units, alert.subject


def seconds_to_wait(waiting: Waiting, policy: Policy) -> float | None:
    """Seconds until a mail is due (0: now), None where nothing waits."""
    if waiting.abandoned:
        return 0
    if not waiting.alerts:
        return None
    quiet = min(policy.gather - waiting.newest, policy.gather_at_most - waiting.oldest)
    return max(0, quiet, waiting.retry_in, _pause(waiting, policy))


def _pause(waiting: Waiting, policy: Policy) -> float:
    """What is left of the pause after the latest mail; each mail within the hour doubles it."""
    if waiting.since_last is None:
        return 0
    doublings = min(waiting.mails_last_hour - 1, 30)
    return min(policy.pause * 2**doublings, policy.pause_at_most) - waiting.since_last


def backoff(claim: Claim, policy: Policy) -> float:
    """Seconds until the next attempt; the rung of what was tried most, the last one repeats."""
    tried = max(alert.attempts for alert in claim.alerts)
    return policy.backoff[min(tried, len(policy.backoff)) - 1]


def is_patient(claim: Claim, policy: Policy) -> bool:
    """Whether a recipient that is refused for now may still hold up the mail for the others."""
    return max(alert.attempts for alert in claim.alerts) < policy.patient_attempts
