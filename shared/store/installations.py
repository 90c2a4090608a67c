"""SQL of this installation's id, which stands in every marker: workers read it, the back office renews it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from shared.vocabulary import AccountKey


@dataclass(frozen=True, slots=True)
class Installation:
    """Who writes the markers now, and under which ids this database did so before backups were restored."""

    id: str
    former: list[str]


def current(connection: Connection[Any], candidate: str) -> Installation:
    """This installation: the one kept here, else `candidate` from now on."""
    connection.execute("insert into installation (id) values (%s) on conflict do nothing", (candidate,))
    with connection.cursor(row_factory=class_row(Installation)) as cursor:
        found = cursor.execute("select id, former from installation").fetchone()
    return found or Installation(candidate, [])


def known(connection: Connection[Any]) -> list[str]:
    """This installation's id and its former ones, newest first; none before the first stock worker has run."""
    row = connection.execute("select id, former from installation").fetchone()
    return [] if row is None else [row[0], *reversed(row[1])]


def kept_instead(connection: Connection[Any], account: AccountKey) -> AccountKey | None:
    """Another account whose products are kept here, where `account` has none; else None."""
    row = connection.execute(
        """
        select account from product
        where account <> %s and not exists (select from product where account = %s) limit 1
        """,
        (account, account),
    ).fetchone()
    return None if row is None else AccountKey(row[0])


def renew(connection: Connection[Any], new_id: str, also: Sequence[str] = ()) -> None:
    """Go on as `new_id`; what was written under the ids before stays ours, and what was under those `also` ours."""
    connection.execute(
        """
        insert into installation (id, restored_at, former) values (%s, now(), %s)
        on conflict (only_one) do update set
            former = installation.former || installation.id || excluded.former, id = excluded.id,
            restored_at = now()
        """,
        (new_id, list(also)),
    )


def others_connected(connection: Connection[Any], name: str) -> int:
    """How many connections of processes called `name` there are to this database."""
    row = connection.execute(
        "select count(*) from pg_stat_activity where datname = current_database() and application_name = %s",
        (name,),
    ).fetchone()
    return int(row[0]) if row else 0
