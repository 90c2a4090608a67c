"""Alerts that are open: what people can see of them, and what they can say about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.database.pool import Connection, Database
from shared.refusal import Refused
from shared.store.alerts import Alerts, OpenAlert
from shared.vocabulary import AccountKey

_SPAN: Final = re.compile(r"([1-9][0-9]{0,4})([mhdw])", re.ASCII)
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
LONGEST: Final = timedelta(days=366)


class NotOpen(Refused):
    """No open alert has these ids; the text is fit for people."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An open alert and what became of telling it: told, waits, refused, overtaken, acknowledged, snoozed."""

    alert: OpenAlert
    state: str


def still_open(database: Database, account: AccountKey, limit: int, *, now: datetime) -> list[Seen]:
    """The newest alerts that are not over, newest first; raises DatabaseOutage."""
    found = database.run(lambda connection: Alerts(connection, account).still_open(limit))
    return [Seen(alert, state(alert, now)) for alert in found]


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


def _all(wanted: Sequence[int], found: Sequence[int]) -> None:
    """Raise NotOpen, which takes back what was recorded."""
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise NotOpen(f"no open alert: {', '.join(map(str, missing))}; nothing was changed")


def span(text: str) -> timedelta:
    """`90m`, `3h`, `2d` or `1w` as a length of time; raises ValueError."""
    found = _SPAN.fullmatch(text)
    length = int(found[1]) * _UNITS[found[2]] if found else timedelta()
    if not timedelta() < length <= LONGEST:
        raise ValueError("must be a time such as 90m, 3h, 2d or 1w, a year at most")
    return length
