"""SQL of findings: the reconciler opens and resolves them; people acknowledge and resolve them; others read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from shared.alerts import AlertKey, NewAlert, finding_facts
from shared.findings import WORDS, Cause, NewFinding, command
from shared.storable import storable_text
from shared.store.alerts import Alerts
from shared.vocabulary import AccountKey, AlertKind

SHOWN: Final = 20
"""Findings that the alert names one by one."""

_SELECT: Final = """
    select id, subject, cause, product_id as product, size, name, detail, state, first_seen_at, last_seen_at,
        acknowledged_by, resolved_at, resolved_by, resolution
    from finding
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not add up; `state` is open, acknowledged or resolved, `resolution` says how it ended."""

    id: int
    subject: str
    cause: str
    product: str
    size: str
    name: str
    detail: str
    state: str
    first_seen_at: datetime
    last_seen_at: datetime
    acknowledged_by: str
    resolved_at: datetime | None
    resolved_by: str
    resolution: str

    @property
    def words(self) -> str:
        """What happened."""
        return WORDS[Cause(self.cause)].happened

    @property
    def first(self) -> str:
        """What a person does before the command; '' for nothing."""
        return WORDS[Cause(self.cause)].first

    @property
    def purpose(self) -> str:
        """What the command is for, such as `To mend it`."""
        return WORDS[Cause(self.cause)].purpose

    @property
    def command(self) -> str:
        """The one command for it."""
        return command(Cause(self.cause), self.id, self.product)


@dataclass(frozen=True, slots=True)
class Findings:
    """An account's findings, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def see(self, found: Sequence[NewFinding]) -> list[int]:
        """Note what was found; ids of those that are new, what is open already was seen once more."""
        once = {(one.about, one.cause): one for one in found}
        ordered = [once[key] for key in sorted(once)]  # against deadlocks
        rows = self._connection.execute(
            """
            insert into finding (account, subject, cause, product_id, size, name, detail)
            select %s, * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
            on conflict (account, subject, cause) where state <> 'resolved' do update
            set last_seen_at = now(), detail = excluded.detail
            returning id, xmax = 0
            """,
            (
                self._account,
                [storable_text(one.about) for one in ordered],
                [one.cause.value for one in ordered],
                [one.product for one in ordered],
                [storable_text(one.size) for one in ordered],
                [storable_text(one.name) for one in ordered],
                [storable_text(one.detail)[:300] for one in ordered],
            ),
        ).fetchall()
        return [int(number) for number, new in rows if new]

    def unresolved(self, causes: Collection[Cause]) -> list[Finding]:
        """What of these causes is open or acknowledged, by id."""
        with self._connection.cursor(row_factory=class_row(Finding)) as cursor:
            return cursor.execute(
                f"{_SELECT} where account = %s and state <> 'resolved' and cause = any(%s) order by id",
                (self._account, [cause.value for cause in causes]),
            ).fetchall()

    def latest(self, states: Collection[str], limit: int, *, offset: int = 0) -> list[Finding]:
        """Findings in one of `states` after `offset` others, newest first."""
        with self._connection.cursor(row_factory=class_row(Finding)) as cursor:
            return cursor.execute(
                f"{_SELECT} where account = %s and state = any(%s) order by id desc limit %s offset %s",
                (self._account, list(states), limit, offset),
            ).fetchall()

    def acknowledge(self, ids: Collection[int], by: str) -> list[int]:
        """Somebody knows of them: people are not told any more; those that were open."""
        rows = self._connection.execute(
            """
            update finding set state = 'acknowledged', acknowledged_at = now(), acknowledged_by = %s
            where account = %s and id = any(%s) and state = 'open' returning id
            """,
            (by, self._account, list(ids)),
        )
        return sorted(int(row[0]) for row in rows)

    def resolve(self, resolutions: Mapping[int, str], by: str) -> list[int]:
        """They are over, and how; those that were not before."""
        rows = self._connection.execute(
            """
            update finding f set state = 'resolved', resolved_at = now(), resolved_by = %s, resolution = r.how
            from unnest(%s::bigint[], %s::text[]) r (id, how)
            where f.account = %s and f.id = r.id and f.state <> 'resolved' returning f.id
            """,
            (by, list(resolutions.keys()), list(resolutions.values()), self._account),
        )
        return sorted(int(row[0]) for row in rows)

    def movements_since(self, ids: Collection[int]) -> dict[int, list[tuple[int, str, str, int]]]:
        """(number, kind, size, delta) of the movements other than sales that followed each finding."""
        rows = self._connection.execute(
            """
            select f.id, m.id, m.kind, m.size, m.delta
            from finding f join movement m on m.account = f.account and m.product_id = f.product_id
            where f.account = %s and f.id = any(%s) and m.at >= f.first_seen_at
                and m.kind in ('opening', 'external', 'overwritten', 'adjustment', 'closed')
                and (f.size = '' or m.size = f.size)
            order by m.id
            """,
            (self._account, list(ids)),
        )
        followed: dict[int, list[tuple[int, str, str, int]]] = {}
        for number, *movement in rows:
            followed.setdefault(int(number), []).append(
                (int(movement[0]), str(movement[1]), str(movement[2]), int(movement[3]))
            )
        return followed

    def counts(self) -> dict[Cause, int]:
        """How many are open, by cause, the most frequent first."""
        rows = self._connection.execute(
            """
            select cause, count(*) from finding where account = %s and state = 'open'
            group by cause order by count(*) desc, cause
            """,
            (self._account,),
        )
        return {Cause(row[0]): int(row[1]) for row in rows}

    def note_told(self, causes: Collection[Cause]) -> bool:
        """Note that people are told of what is open of these causes; whether any of it is news to them."""
        rows = self._connection.execute(
            """
            with news as (
                select id from finding
                where account = %s and state = 'open' and told_at is null and cause = any(%s)
                order by subject collate "C", cause collate "C" for update
            )
            update finding f set told_at = now() from news where f.id = news.id returning f.id
            """,
            (self._account, [cause.value for cause in causes]),
        )
        return rows.rowcount > 0

    def oldest_seconds(self) -> float:
        """The age of the oldest that is not resolved; 0 where there is none."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            cursor.execute(
                """
                select coalesce(extract(epoch from now() - min(first_seen_at)), 0)::float8
                from finding where account = %s and state <> 'resolved'
                """,
                (self._account,),
            )
            return cursor.fetchall()[0]

    def first_open(self) -> list[Finding]:
        """The oldest that are open, at most SHOWN."""
        with self._connection.cursor(row_factory=class_row(Finding)) as cursor:
            return cursor.execute(
                f"{_SELECT} where account = %s and state = 'open' order by id limit %s",
                (self._account, SHOWN),
            ).fetchall()


def retell(connection: Connection[Any], account: AccountKey, *, news: bool) -> list[int]:
    """Make the one alert say what is open now, or end it; its id where people must be told.

    An acknowledgement is of what was found until then: `news` are an alert of their own.
    """
    findings, alerts = Findings(connection, account), Alerts(connection, account)
    counts = findings.counts()
    if not counts:
        alerts.resolve([AlertKey(AlertKind.FINDING, account)])
        return []
    if news:
        alerts.end_acknowledged(AlertKind.FINDING)
    first = [
        {
            "product": one.product,
            "name": one.name,
            "size": one.size,
            "cause": one.words,
            "detail": one.detail,
            "first": one.first,
            "purpose": one.purpose,
            "command": one.command,
        }
        for one in findings.first_open()
    ]
    facts = finding_facts({WORDS[cause].happened: number for cause, number in counts.items()}, first)
    return alerts.renew(NewAlert(account, AlertKind.FINDING, account, facts), again=news)
