"""SQL of the figures at the top of the web pages; the back office reads. Nothing here reads the whole ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from shared.vocabulary import AccountKey


@dataclass(frozen=True, slots=True)
class Today:
    """Units and sessions sold since a moment, and how many of the sessions no webhook told of."""

    units: int
    sales: int
    recovered: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person: sold lines without a size, findings, alerts, refunds."""

    unplaced: int
    findings: int
    alerts: int
    refunds: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Flow:
    """When Stripe last told of a sale, when the latest write to Stripe was done and how many seconds it took.

    `unsynced` products have changes that Stripe does not show yet, the first since `unsynced_since`.
    """

    heard_at: datetime | None
    written_at: datetime | None
    lag: float | None
    unsynced: int
    unsynced_since: datetime | None


def today(connection: Connection[Any], account: AccountKey, since: datetime) -> Today:
    """What was sold since `since`."""
    with connection.cursor(row_factory=class_row(Today)) as cursor:
        return cursor.execute(
            """
            select
                (select coalesce(-sum(delta), 0)::bigint from movement
                    where account = %(account)s and at >= %(since)s and kind = 'sale') as units,
                count(*) as sales, count(*) filter (where origin = 'recovery') as recovered
            from sale where account = %(account)s and booked_at >= %(since)s
            """,
            {"account": account, "since": since},
        ).fetchall()[0]


def waiting(connection: Connection[Any], account: AccountKey) -> Waiting:
    """What is open and nobody has said yet that it is seen to, or can wait."""
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            """
            with unplaced as (select created_at from unplaced_sale where account = %(account)s and state = 'open'),
                found as (select first_seen_at from finding where account = %(account)s and state = 'open')
            select (select count(*) from unplaced) as unplaced, (select count(*) from found) as findings,
                (select count(*) from alert where account = %(account)s and resolved_at is null
                    and acknowledged_at is null and coalesce(snoozed_until, now()) <= now()) as alerts,
                (select count(*) from refund where account = %(account)s and state = 'open') as refunds,
                least((select min(created_at) from unplaced), (select min(first_seen_at) from found)) as oldest
            """,
            {"account": account},
        ).fetchall()[0]


def flow(connection: Connection[Any], account: AccountKey) -> Flow:
    """How promptly things go."""
    with connection.cursor(row_factory=class_row(Flow)) as cursor:
        return cursor.execute(
            """
            select
                (select max(arrived_at) from delivery where account = %(account)s
                    and arrived_at is not null and type like 'checkout.session.%%') as heard_at,
                latest.settled_at as written_at,
                extract(epoch from latest.settled_at - latest.planned_at)::float8 as lag,
                dirty.count as unsynced, dirty.since as unsynced_since
            from (select count(*) as count, min(dirty_since) as since from product
                    where account = %(account)s and dirty_since is not null
                        and state in ('tracked', 'untracked')) as dirty
                left join lateral (
                    select planned_at, settled_at from write
                    where account = %(account)s and settled_at is not null order by settled_at desc limit 1
                ) as latest on true
            """,
            {"account": account},
        ).fetchall()[0]
