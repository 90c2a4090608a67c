"""Who may use the web pages: added, removed, logged in and out, and kept out after wrong passwords."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from services.backoffice.operations import passwords
from shared import logs
from shared.database.pool import Connection, Database
from shared.refusal import Refused
from shared.store.people import Failures, People, Person, Role, Visit, Visits

SHOP: Final = "shop"
"""The operator who is made with a password that was set."""
IDLE: Final = 12 * 3600.0
"""Seconds without a page after which a visit is over."""
LONGEST: Final = 7 * 24 * 3600.0
"""Seconds after which every visit is over."""
FREE: Final = 5
"""Wrong passwords for one name that block nothing; one address has four times as many."""
FIRST_BLOCK: Final = 30.0  # seconds
LONGEST_BLOCK: Final = 15 * 60.0
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)

log = logs.get(__name__)


class NoSuchPerson(Refused):
    """Nobody has that name, or nobody can have it."""


class NobodyCanLogIn(Refused):
    """The pages would be there for nobody."""


class Blocked(Exception):
    """Too many wrong passwords: nothing is looked at for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Entry:
    """What a browser keeps of a login: `token` in its cookie, `csrf` in its forms."""

    token: str = field(repr=False)


def listed(database: Database) -> list[Person]:
    """All who can log in; raises DatabaseOutage."""
    return database.run(lambda connection: People(connection).listed())


def save(database: Database, name: str, role: Role, password: str) -> bool:
    """Add somebody or change them, which ends their visits; whether they are new.

    Raises NoSuchPerson for a name that can't be, WeakPassword, DatabaseOutage.
    """
    if not _NAME.fullmatch(name):
        raise NoSuchPerson(
            "a name is up to 40 small letters, digits, dots, dashes and underscores, such as anna.b"
        )
    passwords.refuse_weak(password, name)
    kept = passwords.kept(password)

    def work(connection: Connection) -> bool:
        Failures(connection).forget([_subject(name)])
        return People(connection).save(name, role, kept)

    return database.run(work)


def admit(database: Database, password: str | None) -> None:
    """See that somebody can log in: the operator `shop` with `password`, where one is given.

    Raises NobodyCanLogIn, WeakPassword, DatabaseOutage.
    """
    known = {person.name: person for person in listed(database)}
    if password is not None:
        shop = known.get(SHOP)
        if shop is None or shop.role != "operator" or not passwords.fits(shop.password, password):
            save(database, SHOP, "operator", password)
    elif not known:
        raise NobodyCanLogIn(
            "nobody can log in: add somebody with `stocksync users add NAME`, or set BACKOFFICE_PASSWORD"
        )


def remove(database: Database, name: str) -> None:
    """Take somebody out and end their visits; raises NoSuchPerson, DatabaseOutage."""
    if not database.run(lambda connection: People(connection).remove(name)):
        raise NoSuchPerson(f"nobody is called {name}: `stocksync users list` shows who can log in")


def log_in(database: Database, name: str, password: str, address: str) -> Entry | None:
    """A new visit; None where name and password don't fit. Raises Blocked, DatabaseOutage."""
    subjects = [_subject(name), f"address:{address}"]
    blocked = database.run(lambda connection: Failures(connection).blocked_for(subjects))
    if blocked:
        raise Blocked(blocked)
    person = database.run(lambda connection: People(connection).named(name))
    if not passwords.fits(person.password if person else None, password):
        database.run(lambda connection: _count(connection, subjects))
        return None
    entry = Entry(secrets.token_urlsafe(32))

    def begin(connection: Connection) -> None:
        Failures(connection).forget(subjects[:1])
        Visits(connection).begin(_hash(entry.token), name, secrets.token_urlsafe(32), longest=LONGEST)

    database.run(begin)
    log.info("logged_in", person=name)
    return entry


def visit(database: Database, token: str) -> Visit | None:
    """Whose cookie it is; None where the visit is over, or never was one. Raises DatabaseOutage."""
    return database.run(lambda c: Visits(c).visit(_hash(token), idle=IDLE, longest=LONGEST))


def leave_notice(database: Database, token: str, notice: str) -> None:
    """Have the next page of the visit show it; raises DatabaseOutage."""
    database.run(lambda connection: Visits(connection).leave_notice(_hash(token), notice))


def log_out(database: Database, token: str) -> None:
    """End the visit, whoever else has the cookie; raises DatabaseOutage."""
    database.run(lambda connection: Visits(connection).end(_hash(token)))


def _count(connection: Connection, subjects: list[str]) -> None:
    failures = Failures(connection)
    for subject, free in zip(subjects, (FREE, 4 * FREE), strict=True):
        count = failures.count(subject, free=free, first=FIRST_BLOCK, most=LONGEST_BLOCK)
        if count == free + 1:
            log.warning("logins_blocked", by=subject.partition(":")[0], failures=count)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _subject(name: str) -> str:
    """Somebody may type the password where the name belongs: what was typed is not kept."""
    return f"name:{_hash(name).hex()}"
