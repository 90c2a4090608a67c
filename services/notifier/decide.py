"""When a mail is due, what it tells of, how long to wait after a failure: facts in, decisions out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice
from typing import Final

from services.notifier.audience import URGENT, MailingList
from services.notifier.policy import Policy
from services.notifier.words import WORDS
from shared.alerts import Claim, ClaimedAlert, Due, OfVariant, Sold, Waiting
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
    AlertKind.DISPUTED,
    AlertKind.REFUND_PROPOSED,
    AlertKind.SALE_RECOVERED,
    AlertKind.LOGINS_BLOCKED,
    AlertKind.LIVEMODE_MISMATCH,
    AlertKind.UNKNOWN_ACCOUNT,
    AlertKind.OUT_OF_STOCK,
    AlertKind.LOW_STOCK,
)
"""The order in which a mail tells."""


_STOCK: Final = frozenset({AlertKind.OUT_OF_STOCK, AlertKind.LOW_STOCK})


@dataclass(frozen=True, slots=True)
class Digest:
    """One mail's worth, gravest first: what it tells of, what it says the end of, and what nobody has to hear.

    `sold` is how fast the sizes sell that it tells of, by the alert's id.
    """

    told: tuple[ClaimedAlert, ...]
    ended: tuple[ClaimedAlert, ...]
    over: tuple[ClaimedAlert, ...]
    sold: Mapping[int, Sold] = field(default_factory=dict[int, Sold])

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write about."""
        return not self.told and not self.ended


def due(mailing_list: MailingList, policy: Policy, now: datetime) -> Due:
    """What the list may hear of `now`: in quiet hours only what can't wait."""
    kinds = mailing_list.kinds
    if policy.quiet is None or policy.quiet.until(now) is None:
        return Due(mailing_list.name, kinds, news=kinds, over=kinds)
    return Due(mailing_list.name, kinds, news=tuple(kind for kind in kinds if kind in URGENT), over=())


def digest(claim: Claim, policy: Policy) -> Digest:
    """The newest state of what was claimed: a flood is one mail, and what nobody heard of ends in silence."""
    out = _subjects(alert for alert in claim.alerts if _is_news(alert))
    told = [alert for alert in claim.alerts if _is_news(alert) and not _is_overtaken(alert, out)]
    ended = [alert for alert in claim.alerts if policy.recoveries and _is_end(alert)]
    back = _subjects(ended)
    ended = [alert for alert in ended if not _is_overtaken(alert, back)]
    named = {alert.id for alert in (*told, *ended)}
    over = tuple(alert for alert in claim.alerts if alert.id not in named)
    return Digest(tuple(sorted(told, key=rank)), tuple(sorted(ended, key=rank)), over)


def told_before(found: Digest) -> Digest:
    """The part of `found` that a mail of unknown fate told once already, just like that."""
    told = tuple(alert for alert in found.told if alert.unsure == str(alert.revision))
    ended = tuple(alert for alert in found.ended if alert.unsure == "over")
    return Digest(told, ended, ())


def shown(alerts: Sequence[ClaimedAlert], policy: Policy) -> tuple[ClaimedAlert, ...]:
    """Those of `alerts` that a mail spells out: the first of each kind and mode; `alerts` as a digest has them."""
    groups = groupby(alerts, key=lambda alert: (alert.kind, alert.account.endswith(":test")))
    return tuple(alert for _, group in groups for alert in islice(group, policy.shown_per_kind))


def stock_shown(found: Digest, policy: Policy) -> dict[int, OfVariant]:
    """The variants whose pace of sales the mail needs, by the alert's id."""
    return {
        alert.id: (alert.account, str(alert.facts.get("product", "")), str(alert.facts.get("size", "")))
        for alert in shown(found.told, policy)
        if alert.kind in _STOCK
    }


def _is_news(alert: ClaimedAlert) -> bool:
    return alert.news and (alert.resolved_at is None or alert.kind in ALWAYS_TOLD)


def _is_end(alert: ClaimedAlert) -> bool:
    """Whether people believe in something that is over: they heard of it, and it did not begin again."""
    if alert.resolved_at is None or not alert.heard or alert.reopened or _is_news(alert):
        return False
    empty = alert.kind in _STOCK and alert.on_hand is not None and alert.on_hand <= 0
    return bool(WORDS[alert.kind].over) and not empty


def _subjects(alerts: Iterable[ClaimedAlert]) -> set[tuple[AccountKey, str]]:
    """What is, or was, out of stock."""
    return {(alert.account, alert.subject) for alert in alerts if alert.kind is AlertKind.OUT_OF_STOCK}


def _is_overtaken(alert: ClaimedAlert, out: set[tuple[AccountKey, str]]) -> bool:
    return alert.kind is AlertKind.LOW_STOCK and (alert.account, alert.subject) in out


def rank(alert: ClaimedAlert) -> tuple[int, str, int, str]:
    """Gravest kind first, within an account the fewest units first."""
    units = alert.on_hand if alert.on_hand is not None else 0
    return SEVERITY.index(alert.kind), alert.account, units, alert.subject


def seconds_to_wait(waiting: Waiting, policy: Policy) -> float | None:
    """Seconds until a mail is due (0: now), None where nothing waits."""
    if waiting.abandoned:
        return 0
    gathered: list[float] = []
    if waiting.alerts:
        gathered.append(min(policy.gather - waiting.newest, policy.gather_at_most - waiting.oldest))
    if waiting.over:
        gathered.append(
            min(policy.gather_over - waiting.over_newest, policy.gather_over_at_most - waiting.over_oldest)
        )
    if not gathered:
        return None
    return max(0, min(gathered), waiting.retry_in, _pause(waiting, policy))


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
