"""What came of it, line by line, against what was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bench.offline.absence import HOUR, HOURS, Absence
from bench.offline.books import Books, Came
from bench.offline.healing import Healed, Service
from bench.offline.mails import Mails
from bench.sync.finding import Finding, calls, equal, limits, sales, same
from bench.sync.ledger import EDITS, Ledger
from bench.sync.shop import Outcome
from shared.recovery.plan import Why
from shared.vocabulary import AlertKind, MovementKind, Variant

MOST_MAILS: Final = 10
MOST_MB: Final = 250.0
SHORTEST: Final = timedelta(seconds=HOUR)
"""What was sold last is aged by one hour."""
LONGEST: Final = timedelta(hours=HOURS)
"""What was sold first is aged by all hours."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was planned and what was found.

    `sold` is everything, of the day before too; `within` and `offline` are seconds: what the numbers may take, and
    what the absence really took. `mails` are the subjects since the start, `peaks` MB by process.
    """

    absence: Absence
    sold: Counter[Variant]
    within: float
    offline: float
    healed: Healed
    outcome: Outcome
    ledger: Ledger
    books: Books
    titles: Mapping[Variant, str]
    mails: Mails
    began: Mapping[str, Service]
    ended: Mapping[str, Service]


def findings(found: Evidence) -> list[Finding]:
    """The whole table."""
    missed = found.absence.sold.total()
    requests = len(found.outcome.log.calls)
    return [
        _healed(found, missed),
        equal(found.outcome),
        _movements(found),
        sales(found.sold, found.ledger),
        _recovered(found, missed),
        *_delays(found),
        same("sizes whose edits are in the ledger", found.ledger.sum(*EDITS), found.absence.edited),
        *_people(found),
        _none("open findings", found.books.findings),
        _none("failed jobs", found.books.failures),
        calls(found.outcome.log),
        Finding("calls per missed sale", f"{requests / missed:.3f}"),
        *limits(found.outcome.log),
        _restarts(found),
        *(_memory(name, service.peak) for name, service in sorted(found.ended.items())),
    ]


def _healed(found: Evidence, missed: int) -> Finding:
    seconds, rest = found.healed.numbers, found.healed.rest
    if seconds is None:
        figure = "not within the time given"
    else:
        end = "never" if rest is None else f"after {rest:.0f} s"
        figure = f"{seconds:.0f} s, {missed / seconds:.0f} sales a second; at rest {end}"
    met = seconds is not None and seconds <= found.within and rest is not None
    return Finding(f"{missed:,} missed sales in Stripe", figure, f"≤ {found.within:.0f} s", met)


def _movements(found: Evidence) -> Finding:
    booked, sold = found.ledger.movements[MovementKind.SALE], found.sold.total()
    return Finding("movements of sales", f"{booked:,} of {sold:,}", "one each", booked == sold)


def _recovered(found: Evidence, missed: int) -> Finding:
    """Every missed sale by recovery, each with the reason that it really has; the others by their webhooks."""
    eventless = found.absence.eventless
    wanted = Counter({Why.UNDELIVERED.value: missed - eventless, Why.NO_EVENT.value: eventless})
    came = Counter({one.reason: one.sales for one in _by_recovery(found)})
    figure = "; ".join(f"{sales:,}: {reason or 'no reason'}" for reason, sales in came.most_common())
    target = "; ".join(f"{sales:,}" for sales in wanted.values())
    return Finding("found by recovery, and why", figure or "none", target, came == wanted)


def _delays(found: Evidence) -> list[Finding]:
    spans = [(one.shortest, one.longest) for one in _by_recovery(found)]
    shortest = min((short for short, _ in spans if short is not None), default=None)
    longest = max((long for _, long in spans if long is not None), default=None)
    if shortest is None or longest is None:
        return [Finding("booked so late", "nobody knows", "known", met=False)]
    took = timedelta(seconds=found.offline + (found.healed.rest or found.within))
    return [
        _delay("booked so late, the shortest", shortest, SHORTEST, took),
        _delay("booked so late, the longest", longest, LONGEST, took),
    ]


def _delay(what: str, delay: timedelta, least: timedelta, took: timedelta) -> Finding:
    """As much as sales were aged, and no more on top of it than the measurement took."""
    target = f"{_text(least)} to {_text(least + took)}"
    return Finding(what, _text(delay), target, least <= delay <= least + took)


def _by_recovery(found: Evidence) -> list[Came]:
    return [one for one in found.books.came if one.origin == "recovery"]


def _people(found: Evidence) -> list[Finding]:
    """Few mails, and in them the sizes that ran low or out, and no other."""
    few = {variant: found.titles[variant] for variant in found.absence.few}
    due = {(kind, few[variant]) for variant, left in found.absence.few.items() for kind in _kinds(left)}
    heard = found.mails.told(AlertKind.LOW_STOCK, AlertKind.OUT_OF_STOCK, AlertKind.OVERSOLD)
    strange = {title for _, title in heard} - set(few.values())
    told = f"{len(due & heard)} of {len(due)}" + (f", and {len(strange)} sizes too many" if strange else "")
    subjects = found.mails.subjects
    said = f"{len(subjects)}: {'; '.join(subjects) or 'none'}"
    return [
        Finding("low, sold out, oversold: told", told, "all", due <= heard and not strange),
        Finding("mails", said, f"≤ {MOST_MAILS}", len(subjects) <= MOST_MAILS),
    ]


def _kinds(left: int) -> tuple[AlertKind, ...]:
    if left > 0:
        return (AlertKind.LOW_STOCK,)
    return (AlertKind.OUT_OF_STOCK,) if left == 0 else (AlertKind.OUT_OF_STOCK, AlertKind.OVERSOLD)


def _none(what: str, found: Sequence[str]) -> Finding:
    return Finding(what, "; ".join(found) or "none", "none", not found)


def _restarts(found: Evidence) -> Finding:
    """A service that died was started again under another number, or is not there."""
    died = [name for name, service in found.began.items() if _pid(found.ended, name) != service.pid]
    return _none("services that died", sorted(died))


def _pid(services: Mapping[str, Service], name: str) -> int | None:
    service = services.get(name)
    return None if service is None else service.pid


def _memory(name: str, peak: float) -> Finding:
    return Finding(f"most memory, {name}", f"{peak:.0f} MB", f"≤ {MOST_MB:.0f} MB", peak <= MOST_MB)


def _text(delay: timedelta) -> str:
    minutes = int(delay.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min"
