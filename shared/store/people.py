"""SQL of who may use the web pages, who is logged in, and who tried too often; only the back office does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

Role = Literal["viewer", "operator"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can log in; `password` is its salted hash."""

    name: str
    role: Role
    created_at: datetime
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who is logged in; `csrf` is what their forms have to hold, `notice` what the next page shows."""

    person: str
    role: Role
    csrf: str = field(repr=False)
    notice: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """Those who can log in, over one connection."""

    _connection: Connection[Any]

    def listed(self) -> list[Person]:
        """All of them, by name."""
        with self._connection.cursor(row_factory=class_row(Person)) as cursor:
            return cursor.execute("select * from person order by name").fetchall()

    def named(self, name: str) -> Person | None:
        """The one of that name."""
        with self._connection.cursor(row_factory=class_row(Person)) as cursor:
            return cursor.execute("select * from person where name = %s", (name,)).fetchone()

    def save(self, name: str, role: Role, password: str) -> bool:
        """Add them, or change their role and password and end their visits; whether they are new."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            known = cursor.execute(
                "update person set role = %s, password = %s where name = %s returning true",
                (role, password, name),
            ).fetchone()
        if known is None:
            self._connection.execute(
                "insert into person (name, role, password) values (%s, %s, %s)", (name, role, password)
            )
        else:
            self._connection.execute("delete from web_session where person = %s", (name,))
        return known is None

    def remove(self, name: str) -> bool:
        """Take them out, their visits too; whether they were there."""
        return self._connection.execute("delete from person where name = %s", (name,)).rowcount > 0


@dataclass(frozen=True, slots=True)
class Visits:
    """Who is logged in, over one connection; `token` is the hash of what the browser holds."""

    _connection: Connection[Any]

    def begin(self, token: bytes, person: str, csrf: str, *, longest: float) -> None:
        """Log somebody in; visits that are over after `longest` seconds are forgotten."""
        self._connection.execute(
            "delete from web_session where created_at < now() - make_interval(secs => %s)", (longest,)
        )
        self._connection.execute(
            "insert into web_session (token, person, csrf) values (%s, %s, %s)", (token, person, csrf)
        )

    def seen(self, token: bytes, *, idle: float, longest: float) -> Visit | None:
        """Whose visit it is, without its notice and without making it any longer; None where it is over."""
        with self._connection.cursor(row_factory=class_row(Visit)) as cursor:
            return cursor.execute(
                """
                select s.person, p.role, s.csrf from web_session s join person p on p.name = s.person
                where s.token = %(token)s and s.seen_at > now() - make_interval(secs => %(idle)s)
                    and s.created_at > now() - make_interval(secs => %(longest)s)
                """,
                {"token": token, "idle": idle, "longest": longest},
            ).fetchone()

    def visit(self, token: bytes, *, idle: float, longest: float) -> Visit | None:
        """Whose visit it is and its notice, which is shown once; None where it is over, or never was one."""
        with self._connection.cursor(row_factory=class_row(Visit)) as cursor:
            return cursor.execute(
                """
                update web_session s set seen_at = now(), notice = ''
                from person p, (select token, notice from web_session where token = %(token)s for update) before
                where s.token = before.token and p.name = s.person
                    and s.seen_at > now() - make_interval(secs => %(idle)s)
                    and s.created_at > now() - make_interval(secs => %(longest)s)
                returning s.person, p.role, s.csrf, before.notice
                """,
                {"token": token, "idle": idle, "longest": longest},
            ).fetchone()

    def leave_notice(self, token: bytes, notice: str) -> None:
        """Have the next page show it."""
        self._connection.execute("update web_session set notice = %s where token = %s", (notice, token))

    def end(self, token: bytes) -> None:
        """Log out."""
        self._connection.execute("delete from web_session where token = %s", (token,))


@dataclass(frozen=True, slots=True)
class Failures:
    """Who tried too often, over one connection; a subject is a name or an address."""

    _connection: Connection[Any]

    def attempt(self, subject: str, *, free: int, first: float, most: float) -> int | None:
        """Count an attempt as one that fails, before it is looked at; the failures so far, None where it is blocked.

        After `free` of them each blocks twice as long as the one before, from `first` seconds on and never longer
        than `most`. Attempts at the same time are counted one after the other: none slips by the block of another.
        """
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                insert into login_failure as f (subject, failures) values (%(subject)s, 1)
                on conflict (subject) do update set failures = f.failures + 1, last_at = now(),
                    blocked_until = case when f.failures >= %(free)s then now() + make_interval(
                        secs => least(%(most)s, %(first)s * 2 ^ least(f.failures - %(free)s, 20))
                    ) end
                where f.blocked_until is null or f.blocked_until <= now()
                returning failures
                """,
                {"subject": subject, "free": free, "first": first, "most": most},
            ).fetchone()

    def blocked_for(self, subjects: Sequence[str]) -> float:
        """How many seconds the longest block of these still lasts; 0 for none."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return float(
                cursor.execute(
                    """
                    select coalesce(max(extract(epoch from blocked_until - now())), 0)::float8
                    from login_failure where subject = any(%s) and blocked_until > now()
                    """,
                    (list(subjects),),
                ).fetchall()[0]
            )

    def take_back(self, subject: str, counted: int) -> None:
        """Uncount an attempt that did not fail; a block is lifted where `counted`, its own failure, began it."""
        self._connection.execute(
            """
            update login_failure set failures = greatest(failures - 1, 0),
                blocked_until = case when failures <> %s then blocked_until end
            where subject = %s
            """,
            (counted, subject),
        )

    def forget(self, subjects: Sequence[str]) -> None:
        """Begin counting anew."""
        self._connection.execute("delete from login_failure where subject = any(%s)", (list(subjects),))

    def forget_old(self) -> None:
        """A day without failures is forgotten; what somebody has in hand waits for another time."""
        self._connection.execute(
            """
            delete from login_failure where subject in (
                select subject from login_failure where last_at < now() - interval '1 day' for update skip locked
            )
            """
        )
