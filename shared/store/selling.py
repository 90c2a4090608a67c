"""SQL of what was taken off sale because it is gone: the stock worker writes; people's wishes: the back office."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, kwargs_row

from shared.selling import Expiry, ExpiryState, Offer, Stop, StopState
from shared.storable import storable_text
from shared.vocabulary import AccountKey, ProductId, SessionId, Size, Variant


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """A size of a tracked product; `units` None where Stripe shows no number that can be read."""

    product: ProductId
    size: Size
    units: int | None


_STOP = """
    select id, offer, object, product_id as product, size, state, why, wanted_by, key, attempt, planned_at,
        changed_at, ended_at, retry_at <= now() as due
    from selling_stop
"""


@dataclass(frozen=True, slots=True)
class SellingStops:
    """An account's stops, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def shelves(self) -> list[ShelfRow]:
        """Every size of the tracked products that have run out of one, or that an open stop is about."""
        with self._connection.cursor(row_factory=class_row(ShelfRow)) as cursor:
            return cursor.execute(
                """
                select v.product_id as product, v.size,
                    case when v.state = 'managed' and v.opened then v.on_hand end as units
                from (
                    select product_id from variant
                    where account = %(account)s and on_hand <= 0 and state = 'managed' and opened
                    union
                    select product_id from selling_stop where account = %(account)s and ended_at is null
                ) concerned
                join product p on p.account = %(account)s and p.id = concerned.product_id and p.state = 'tracked'
                join variant v on v.account = %(account)s and v.product_id = p.id and v.state <> 'missing'
                """,
                {"account": self._account},
            ).fetchall()

    def open(self) -> list[Stop]:
        """All stops that are not over, oldest first."""
        with self._connection.cursor(row_factory=kwargs_row(_stop)) as cursor:
            return cursor.execute(
                f"{_STOP} where account = %s and ended_at is null order by id", (self._account,)
            ).fetchall()

    def listed(self, days: int) -> list[Stop]:
        """The open stops, and those that changed in the last `days`, newest first."""
        with self._connection.cursor(row_factory=kwargs_row(_stop)) as cursor:
            return cursor.execute(
                f"{_STOP} where account = %s and (ended_at is null or changed_at > now() - make_interval(days => %s))"
                " order by id desc",
                (self._account, days),
            ).fetchall()

    def plan(self, offer: Offer, thing: str, reason: Variant, key: str) -> Stop | None:
        """Note that `thing` is to be stopped; None where it has an open stop."""
        with self._connection.cursor(row_factory=kwargs_row(_stop)) as cursor:
            return cursor.execute(
                """
                insert into selling_stop (account, offer, object, product_id, size, key)
                values (%s, %s, %s, %s, %s, %s)
                on conflict (account, object) where ended_at is null do nothing
                returning id, offer, object, product_id as product, size, state, why, wanted_by, key, attempt,
                    planned_at, changed_at, ended_at, true as due
                """,
                (self._account, offer.value, thing, reason.product, reason.size, key),
            ).fetchone()

    def move(self, stop: Stop, state: StopState, why: str, *, over: bool) -> None:
        """Note how far the stop is; `over`: the object may be stopped anew. A call to come has a key of its own."""
        self._connection.execute(
            """
            update selling_stop set state = %s, why = %s, changed_at = now(), failures = 0, retry_at = now(),
                attempt = 1, ended_at = case when %s then now() end
            where account = %s and id = %s
            """,
            (state.value, why, over, self._account, stop.id),
        )

    def end(self, stop: Stop) -> None:
        """Let the object be stopped anew."""
        self._connection.execute(
            "update selling_stop set ended_at = now() where account = %s and id = %s",
            (self._account, stop.id),
        )

    def blame(self, stop: Stop, reason: Variant) -> None:
        """Something else is gone by now that the object offers."""
        self._connection.execute(
            "update selling_stop set product_id = %s, size = %s where account = %s and id = %s",
            (reason.product, reason.size, self._account, stop.id),
        )

    def postpone(self, stop: Stop, why: str, *, spent: bool) -> None:
        """Try again in 5 seconds, twice as long each time, at most 10 minutes; `spent`: under another key."""
        self._connection.execute(
            """
            update selling_stop set why = %s, failures = failures + 1, attempt = attempt + %s::integer,
                retry_at = now() + make_interval(secs => least(600, 5 * power(2, least(failures, 10))))
            where account = %s and id = %s
            """,
            (storable_text(why), spent, self._account, stop.id),
        )

    def want(self, thing: str, by: str) -> Stop | None:
        """Note that somebody wants `thing` back on sale; its open stop, None where it has none."""
        self._connection.execute(
            """
            update selling_stop set wanted_by = %s, retry_at = now()
            where account = %s and object = %s and ended_at is null and state in ('planned', 'stopped')
            """,
            (storable_text(by), self._account, thing),
        )
        with self._connection.cursor(row_factory=kwargs_row(_stop)) as cursor:
            return cursor.execute(
                f"{_STOP} where account = %s and object = %s and ended_at is null", (self._account, thing)
            ).fetchone()


@dataclass(frozen=True, slots=True)
class Expiries:
    """An account's expired sessions, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def decided(self, sessions: Collection[SessionId]) -> frozenset[SessionId]:
        """Those of `sessions` that were expired, or found to be over."""
        rows = self._connection.execute(
            """
            select session_id from expired_session
            where account = %s and session_id = any(%s) and state <> 'planned'
            """,
            (self._account, list(sessions)),
        )
        return frozenset(SessionId(row[0]) for row in rows)

    def plan(self, session: SessionId, reason: Variant) -> None:
        """Note that the session is to expire."""
        self._connection.execute(
            """
            insert into expired_session (account, session_id, product_id, size) values (%s, %s, %s, %s)
            on conflict (account, session_id) do nothing
            """,
            (self._account, session, reason.product, reason.size),
        )

    def end(self, session: SessionId, state: ExpiryState) -> None:
        """Note what became of it."""
        self._connection.execute(
            "update expired_session set state = %s, ended_at = now() where account = %s and session_id = %s",
            (state.value, self._account, session),
        )

    def forget(self, session: SessionId) -> None:
        """It need not expire any more; a look may think so anew."""
        self._connection.execute(
            "delete from expired_session where account = %s and session_id = %s and state = 'planned'",
            (self._account, session),
        )

    def unsettled(self, limit: int) -> list[tuple[SessionId, Variant]]:
        """Sessions that were to expire, and nobody knows whether they did, with what was gone; oldest first."""
        rows = self._connection.execute(
            """
            select session_id, product_id, size from expired_session
            where account = %s and planned_at > now() - interval '2 days' and state = 'planned'
            order by planned_at limit %s
            """,
            (self._account, limit),
        )
        return [(SessionId(row[0]), Variant(ProductId(row[1]), Size(row[2]))) for row in rows]

    def listed(self, days: int) -> list[Expiry]:
        """What was to expire in the last `days`, newest first."""
        with self._connection.cursor(row_factory=kwargs_row(_expiry)) as cursor:
            return cursor.execute(
                """
                select session_id as session, product_id as product, size, state, planned_at, ended_at
                from expired_session
                where account = %s and planned_at > now() - make_interval(days => %s) order by planned_at desc
                """,
                (self._account, days),
            ).fetchall()


def _stop(offer: str, state: str, **columns: Any) -> Stop:  # noqa: ANN401 - the columns, by name
    return Stop(offer=Offer(offer), state=StopState(state), **columns)


def _expiry(state: str, **columns: Any) -> Expiry:  # noqa: ANN401 - the columns, by name
    return Expiry(state=ExpiryState(state), **columns)
