"""SQL of who bought, where the shop wants it kept: the stock worker writes, the back office reads and erases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import Connection

from shared.storable import storable_text
from shared.vocabulary import AccountKey, SessionId

LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Bought:
    """Who made a sale, as far as it is kept: Stripe's id of the customer, their name and mail address."""

    customer: str | None = field(repr=False)
    name: str | None = field(repr=False)
    email: str | None = field(repr=False)


def of_sessions(
    connection: Connection[Any], account: AccountKey, sessions: Sequence[SessionId]
) -> dict[SessionId, Bought]:
    """Who made each of these sales; one of which nothing is kept is not among them."""
    rows = connection.execute(
        """
        select s.session_id, s.customer, c.name, c.email
        from sale s left join customer c on c.account = s.account and c.session_id = s.session_id
        where s.account = %s and s.session_id = any(%s) and (s.customer is not null or c.session_id is not null)
        """,
        (account, list(sessions)),
    )
    return {SessionId(session): Bought(*found) for session, *found in rows}


def keep(connection: Connection[Any], buyers: Sequence[tuple[str, str, str | None, str | None]]) -> None:
    """Keep (account, session, name, mail address); harmless to repeat."""
    if not buyers:
        return
    connection.execute(
        """
        insert into customer (account, session_id, name, email)
        select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[])
        on conflict do nothing
        """,
        (
            [account for account, *_ in buyers],
            [session for _, session, *_ in buyers],
            [_kept(name) for *_, name, _ in buyers],
            [_kept(email) for *_, email in buyers],
        ),
    )


def erase(connection: Connection[Any], account: AccountKey, who: str) -> int:
    """Forget who made the sales of `who`, a customer's id or mail address; how many sales.

    Sales under the same address or the same id as one of those are the same person's. Movements name nobody.
    """
    row = connection.execute(
        """
        with first as (
            select session_id from sale where account = %(account)s and customer = %(who)s
            union
            select session_id from customer where account = %(account)s and lower(email) = lower(%(who)s)
        ), same as (
            select session_id from first
            union
            select s.session_id from sale s where s.account = %(account)s and s.customer in (
                select k.customer from sale k join first f on f.session_id = k.session_id
                where k.account = %(account)s and k.customer is not null
            )
            union
            select c.session_id from customer c where c.account = %(account)s and lower(c.email) in (
                select lower(k.email) from customer k join first f on f.session_id = k.session_id
                where k.account = %(account)s and k.email is not null
            )
        ), erased as (
            delete from customer c using same
            where c.account = %(account)s and c.session_id = same.session_id
        ), forgotten as (
            update sale s set customer = null from same
            where s.account = %(account)s and s.session_id = same.session_id
        )
        select count(*) from same
        """,
        {"account": account, "who": who},
    ).fetchone()
    return int(row[0]) if row else 0


def _kept(text: str | None) -> str | None:
    return None if text is None else storable_text(text[:LONGEST])
