"""Alerts that are open: what people can see of them, and what they can say about them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.backoffice.operations.paging import Page, page
from shared.alerts import Facts
from shared.database.pool import Connection, Database
from shared.refusal import Refused
from shared.store.alerts import Alerts, OpenAlert
from shared.vocabulary import AccountKey, AlertKind, ProductId

_SPAN: Final = re.compile(r"([1-9][0-9]{0,4})([mhdw])", re.ASCII)
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
LONGEST: Final = timedelta(days=366)
_REASONS: Final = (
    ("reason", "{}"),
    ("on_hand", "{} left then"),
    ("threshold", "the threshold is {}"),
    ("short", "{} too many were sold"),
    ("recovered", "{} sales"),
)
"""Facts that say why, and the words around them."""


class NotOpen(Refused):
    """No open alert has these ids; the text is fit for people."""


class NoSpan(Refused, ValueError):
    """What was typed is no length of time to wait; the text is fit for people."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An open alert and what became of telling it: told, waits, refused, overtaken, acknowledged, snoozed."""

    alert: OpenAlert
    state: str

    @property
    def kind(self) -> str:
        """What kind it is, in words."""
        return self.alert.kind.replace("_", " ")

    @property
    def about(self) -> str:
        """What it is about, with its name where it has one: `Mug (prod_1/M)`; of findings, how many are open."""
        if self.alert.kind is AlertKind.FINDING:
            return f"{_counted(self.alert.facts):,} open"
        name, subject = self.alert.facts.get("name"), self.alert.subject
        return f"{name} ({subject})" if isinstance(name, str) and name else subject

    @property
    def product(self) -> ProductId | None:
        """The product it is about, if it is about one."""
        product = self.alert.facts.get("product")
        return ProductId(product) if isinstance(product, str) and product else None

    @property
    def reason(self) -> str:
        """Why, in words or numbers, as far as the alert says it."""
        told = ((words, self.alert.facts.get(fact)) for fact, words in _REASONS)
        return "; ".join(
            words.format(value) for words, value in told if isinstance(value, str | int) and value != ""
        )


def still_open(database: Database, account: AccountKey, limit: int, *, now: datetime) -> list[Seen]:
    """The newest alerts that are not over, newest first; raises DatabaseOutage."""
    found = database.run(lambda connection: Alerts(connection, account).still_open(limit))
    return [Seen(alert, state(alert, now)) for alert in found]


def paged(database: Database, account: AccountKey, number: int, *, now: datetime) -> Page[Seen]:
    """Page `number` of the alerts that are not over, newest first; raises DatabaseOutage."""

    def read(connection: Connection) -> Page[OpenAlert]:
        alerts = Alerts(connection, account)
        return page(lambda limit, offset: alerts.still_open(limit, offset=offset), number)

    found = database.run(read)
    return Page([Seen(alert, state(alert, now)) for alert in found.lines], found.number, more=found.more)


def state(alert: OpenAlert, now: datetime) -> str:
    """What became of telling it, in a word; the last thing that people said counts first."""
    if alert.acknowledged_at is not None:
        return "acknowledged"
    if alert.snoozed_until is not None and alert.snoozed_until > now:
        return "snoozed"
    if alert.failed_at is not None:
        return "refused"
    if alert.dropped_at is not None:
        return "overtaken"
    return "waits" if alert.mailed_at is None else "told"


def acknowledge(database: Database, account: AccountKey, ids: Sequence[int], *, actor: str) -> None:
    """Have people told no more of these while they last; all or, with NotOpen, none. Raises DatabaseOutage."""

    def record(connection: Connection) -> None:
        _all(ids, Alerts(connection, account).acknowledge(ids, by=actor))

    database.run(record)


def snooze(database: Database, account: AccountKey, ids: Sequence[int], until: datetime) -> None:
    """Have these wait until then, and told again if they still last; all or, with NotOpen, none.

    Raises DatabaseOutage.
    """

    def record(connection: Connection) -> None:
        _all(ids, Alerts(connection, account).snooze(ids, until))

    database.run(record)


def _counted(facts: Facts) -> int:
    """How many findings the alert tells of; total, whatever it holds."""
    counts = facts.get("counts")
    found = (
        [one.get("findings") for one in counts if isinstance(one, Mapping)]
        if isinstance(counts, list)
        else []
    )
    return sum(number for number in found if isinstance(number, int))


def _all(wanted: Sequence[int], found: Sequence[int]) -> None:
    """Raise NotOpen, which takes back what was recorded."""
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise NotOpen(f"no open alert: {', '.join(map(str, missing))}; nothing was changed")


def span(text: str) -> timedelta:
    """`90m`, `3h`, `2d` or `1w` as a length of time; raises NoSpan."""
    found = _SPAN.fullmatch(text)
    length = int(found[1]) * _UNITS[found[2]] if found else timedelta()
    if not timedelta() < length <= LONGEST:
        raise NoSpan("must be a time such as 90m, 3h, 2d or 1w, a year at most")
    return length
