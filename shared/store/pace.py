"""SQL of the pace of calls to Stripe, of pauses after a refusal, and of the calls counted.

Every process that calls Stripe writes; everybody reads. Each function that writes is one short statement, to be
run outside of any transaction: the others wait for it. Only the database's clock counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import class_row

from shared.stripe_api.pace import ALL, FIRST_HOLD, JITTER, LONGEST_HOLD, Limits, Turn
from shared.vocabulary import AccountKey

READS_PER_SALE: Final = 500
FEWEST_READS: Final = 10_000
"""What Stripe allows to read in a month: so much for each sale of 30 days, and at least so much."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """A turn, `wait` seconds from now; or why Stripe `refused` the like, and there is none."""

    wait: float
    slowed: bool
    probe: bool
    refused: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls in the `month` (its first day, UTC), and the sessions booked in the last 30 days."""

    month: date
    reads: int
    writes: int
    sales: int

    @property
    def reads_allowed(self) -> int:
        """Reads that Stripe allows an account with these sales."""
        return max(FEWEST_READS, READS_PER_SALE * self.sales)


def take(
    connection: Connection[Any], account: AccountKey, endpoint: str, limits: Limits, *, write: bool
) -> Reserved:
    """Reserve the next turn for one call to `endpoint`, in the order of asking, and count it."""
    with connection.cursor(row_factory=class_row(Reserved)) as cursor:
        cursor.execute(
            """
            select coalesce(wait, 0) as wait, coalesce(slowed, false) as slowed, coalesce(probe, false) as probe,
                refused
            from stripe_turn(%s, %s, %s, %s, %s, %s, %s)
            """,
            (
                account,
                endpoint,
                write,
                limits.per_endpoint,
                limits.overall,
                limits.burst,
                limits.probe_seconds,
            ),
        )
        return cursor.fetchall()[0]


def slow(connection: Connection[Any], account: AccountKey, endpoint: str, at_least: float) -> None:
    """Hand out no turn to `endpoint` for a while, longer with each time in a row; repeats meanwhile don't count."""
    connection.execute(
        """
        insert into stripe_pace as p (account, endpoint, level, held_until)
        values (%(account)s, %(endpoint)s, 1, clock_timestamp() + make_interval(secs => greatest(
            %(at_least)s::float8, %(first)s * (1 + %(jitter)s * (2 * random() - 1)))))
        on conflict (account, endpoint) do update set
            level = p.level + (p.held_until <= clock_timestamp())::integer,
            held_until = greatest(p.held_until, clock_timestamp() + make_interval(secs => greatest(
                %(at_least)s::float8,
                case when p.held_until <= clock_timestamp() then
                    least(%(longest)s, %(first)s * power(2, least(p.level, 30)))
                    * (1 + %(jitter)s * (2 * random() - 1))
                else 0 end)))
        """,
        {
            "account": account,
            "endpoint": endpoint,
            "at_least": at_least,
            "first": FIRST_HOLD,
            "longest": LONGEST_HOLD,
            "jitter": JITTER,
        },
    )


def refuse(
    connection: Connection[Any], account: AccountKey, endpoint: str, reason: str, *, probe_seconds: float
) -> None:
    """Hand out no turn to `endpoint` but one in `probe_seconds`, until one is accepted."""
    connection.execute(
        """
        insert into stripe_pace (account, endpoint, refusal, probe_at)
        values (%s, %s, %s, clock_timestamp() + make_interval(secs => %s))
        on conflict (account, endpoint) do update set refusal = excluded.refusal, probe_at = excluded.probe_at
        """,
        (account, endpoint, reason, probe_seconds),
    )


def accept(connection: Connection[Any], account: AccountKey, turn: Turn) -> None:
    """End the pause that a `probe` turn tried, and take back one step of the back-off of a `slowed` one."""
    connection.execute(
        """
        update stripe_pace set
            level = case when %(slowed)s then greatest(level - 1, 0) else level end,
            refusal = case when %(probe)s then null else refusal end,
            probe_at = case when %(probe)s then null else probe_at end
        where account = %(account)s and endpoint in (%(all)s, %(endpoint)s)
            and (level > 0 or refusal is not null)
        """,
        {
            "account": account,
            "endpoint": turn.endpoint,
            "all": ALL,
            "slowed": turn.slowed,
            "probe": turn.probe,
        },
    )


def refusals(connection: Connection[Any], account: AccountKey) -> dict[str, str]:
    """The endpoints (ALL for every one) whose calls Stripe refuses just now, and why."""
    rows = connection.execute(
        "select endpoint, refusal from stripe_pace where account = %s and refusal is not null", (account,)
    )
    return {str(row[0]): str(row[1]) for row in rows}


def usage(connection: Connection[Any], account: AccountKey) -> Usage:
    """This month's calls to Stripe, and the sales that its allowance of reads follows from."""
    with connection.cursor(row_factory=class_row(Usage)) as cursor:
        cursor.execute(
            """
            select m.month, coalesce(u.reads, 0) as reads, coalesce(u.writes, 0) as writes,
                (select count(*) from sale s
                    where s.account = %(account)s and s.booked_at > now() - interval '30 days') as sales
            from (select date_trunc('month', now() at time zone 'UTC')::date as month) m
            left join stripe_usage u on u.account = %(account)s and u.month = m.month
            """,
            {"account": account},
        )
        return cursor.fetchall()[0]
