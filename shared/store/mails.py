"""SQL of the mails that tell of alerts: the notifier claims what waits and records what became of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row, tuple_row

from shared.alerts import Claim, ClaimedAlert, Due, Waiting
from shared.vocabulary import AlertKind


def waiting(connection: Connection[Any], due: Due, *, abandoned_after: float) -> Waiting:
    """What waits to be mailed now; a claim older than `abandoned_after` seconds was left behind by a crash."""
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        cursor.execute(
            """
            with wanted as (
                select *, claimed_at is null and mailed_at is null and kind = any(%(news)s) as fresh,
                    claimed_at is null and mailed_at is not null and kind = any(%(over)s) as ended
                from untold_alert where kind = any(%(kinds)s)
            )
            select
                count(*) filter (where fresh) as alerts,
                count(*) filter (where claimed_at < now() - make_interval(secs => %(after)s)) as abandoned,
                coalesce(extract(epoch from now() - min(raised_at) filter (where fresh)), 0)::float as oldest,
                coalesce(extract(epoch from now() - max(raised_at) filter (where fresh)), 0)::float as newest,
                coalesce(extract(epoch from
                    max(next_attempt_at) filter (where (fresh or ended) and attempts > 0) - now()
                ), 0)::float as retry_in,
                (select count(*) from mail
                    where sent_at > now() - interval '1 hour' and mailing_list = %(list)s) as mails_last_hour,
                (select extract(epoch from now() - max(sent_at))::float from mail
                    where sent_at > now() - interval '1 hour' and mailing_list = %(list)s) as since_last,
                count(*) filter (where ended) as over,
                coalesce(extract(epoch from
                    now() - min(resolved_at) filter (where ended)), 0)::float as over_oldest,
                coalesce(extract(epoch from
                    now() - max(resolved_at) filter (where ended)), 0)::float as over_newest
            from wanted
            """,
            {**_kinds(due), "after": abandoned_after, "list": due.mailing_list},
        )
        return cursor.fetchall()[0]


def claim(connection: Connection[Any], due: Due, *, abandoned_after: float, limit: int) -> Claim | None:
    """Take up to `limit` alerts in hand for one mail, None where there are none.

    What one crashed notifier had in hand is taken as it was, whatever may begin now, so that its mail keeps its
    Message-ID.
    """
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(
            """
            with crashed as (
                select min(claimed_at) as at from untold_alert
                where kind = any(%(kinds)s) and claimed_at < now() - make_interval(secs => %(after)s)
            ), taken as (
                select id from untold_alert
                where claimed_at is not distinct from (select at from crashed)
                    and kind = any(case
                        when claimed_at is not null then %(kinds)s
                        when mailed_at is null then %(news)s
                        else %(over)s
                    end)
                order by id limit %(limit)s for update skip locked
            )
            update alert set claimed_at = now(), attempts = attempts + 1
            from taken where alert.id = taken.id
            returning alert.claimed_at, alert.id, revision, account, kind, subject, facts, raised_at,
                resolved_at, attempts, (
                    select case when variant.state = 'missing' then 0 else variant.on_hand end from variant
                    where variant.account = alert.account and variant.product_id = alert.facts->>'product'
                        and variant.size = alert.facts->>'size'
                ) as on_hand, mailed_at is null as news, told_at is not null as heard,
                resolved_at is not null and exists (
                    select from alert again where again.account = alert.account and again.kind = alert.kind
                        and again.subject = alert.subject and again.resolved_at is null
                ) as reopened, snoozed_until, unsure
            """,
            {**_kinds(due), "after": abandoned_after, "limit": limit},
        )
        rows = sorted(cursor.fetchall(), key=lambda row: row[1])
    return Claim(rows[0][0], tuple(_claimed(row[1:]) for row in rows)) if rows else None


def _kinds(due: Due) -> dict[str, list[str]]:
    return {
        "kinds": [kind.value for kind in due.kinds],
        "news": [kind.value for kind in due.news],
        "over": [kind.value for kind in due.over],
    }


def _claimed(row: tuple[Any, ...]) -> ClaimedAlert:
    number, revision, account, kind, *rest = row
    return ClaimedAlert(number, revision, account, AlertKind(kind), *rest)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that was accepted: the ids of alerts it `told` of, and of those it said the end of."""

    message_id: str
    mailing_list: str
    told: Collection[int]
    ended: Collection[int] = ()


def mark_mailed(connection: Connection[Any], claim: Claim, letter: Letter) -> None:
    """Record that the mail was accepted; what was added to an alert meanwhile stays to be told."""
    connection.execute(
        """
        update alert set mailed_at = now(), told_at = coalesce(told_at, now()), snoozed_until = null,
            claimed_at = null, attempts = 0, next_attempt_at = now(), last_error = ''
        where id = any(%s) and claimed_at = %s
        """,
        (list(letter.told), claim.at),
    )
    connection.execute(
        """
        update alert set over_told_at = now(), claimed_at = null, last_error = ''
        where id = any(%s) and claimed_at = %s
        """,
        (list(letter.ended), claim.at),
    )
    connection.execute(
        "insert into mail (message_id, alerts, mailing_list) values (%s, %s, %s) on conflict (message_id) do nothing",
        (letter.message_id, len(letter.told) + len(letter.ended), letter.mailing_list),
    )


def mark_dropped(connection: Connection[Any], claim: Claim, over: Collection[int]) -> None:
    """Record that nobody has to be told of `over`, or of its end, any more."""
    connection.execute(
        "update alert set dropped_at = now() where id = any(%s) and claimed_at = %s", (list(over), claim.at)
    )


def mark_retry(connection: Connection[Any], claim: Claim, *, seconds: float, error: str) -> None:
    """Give the claim back, to be tried again in `seconds`; `error` without secrets."""
    connection.execute(
        """
        update alert set claimed_at = null, last_error = %s,
            next_attempt_at = now() + make_interval(secs => %s)
        where id = any(%s) and claimed_at = %s
        """,
        (error, seconds, claim.ids, claim.at),
    )


def mark_unsure(connection: Connection[Any], claim: Claim, letter: Letter, *, error: str) -> None:
    """Note that nobody knows whether the mail was taken; the claim stands until it counts as abandoned.

    People may have heard of what it told, so that they are told its end too.
    """
    connection.execute(
        """
        update alert set last_error = %(error)s,
            unsure = case when id = any(%(ended)s) then 'over' else revision::text end,
            told_at = case when id = any(%(told)s) then coalesce(told_at, now()) else told_at end
        where id = any(%(claimed)s) and claimed_at = %(at)s
        """,
        {
            "error": error,
            "told": list(letter.told),
            "ended": list(letter.ended),
            "claimed": claim.ids,
            "at": claim.at,
        },
    )


def mark_failed(connection: Connection[Any], claim: Claim, *, error: str) -> None:
    """Record that the mail server refused the mail for ever; `rearm_failed` brings it back."""
    connection.execute(
        "update alert set failed_at = now(), last_error = %s where id = any(%s) and claimed_at = %s",
        (error, claim.ids, claim.at),
    )


def rearm_failed(connection: Connection[Any], lately: timedelta) -> int:
    """Let every alert that the mail server refused `lately` wait to be mailed again; how many."""
    return connection.execute(
        """
        update alert set failed_at = null, claimed_at = null, attempts = 0, next_attempt_at = now()
        where failed_at > now() - %s::interval
        """,
        (lately,),
    ).rowcount


def pending_count(connection: Connection[Any]) -> int:
    """How many alerts, or ends of alerts, people have to hear of yet, those in hand included."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        cursor.execute("select count(*) from untold_alert")
        return cursor.fetchall()[0]
