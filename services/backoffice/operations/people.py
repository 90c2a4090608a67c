"""Who may use the web pages: added, removed, logged in and out, and kept out after wrong passwords."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Final

from services.backoffice.operations import passwords
from shared import logs
from shared.alerts import NewAlert
from shared.database.pool import Connection, Database
from shared.refusal import Refused
from shared.store import problems
from shared.store.people import Failures, People, Person, Role, Visit, Visits
from shared.vocabulary import AccountKey, AlertKind

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
_FREE: Final = (FREE, 4 * FREE)
_BY: Final = ("name", "address")
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
class Attempt:
    """What somebody typed, and the address they typed it at; nothing of it is kept."""

    name: str
    password: str = field(repr=False)
    address: str

    @property
    def subjects(self) -> tuple[str, str]:
        """What its failure counts against: the name, and the address."""
        return _subject(self.name), f"address:{_network(self.address)}"


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


def admit_first(database: Database, file: Path) -> bool:
    """Where nobody can log in yet, make the operator `shop` with a password that only `file` tells; whether it was so.

    The file comes first: who is interrupted between the two begins anew. Raises OSError, DatabaseOutage.
    """
    if listed(database):
        return False
    password = secrets.token_urlsafe(18)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as kept:
        os.fchmod(kept.fileno(), 0o600)  # it may have been there, open to others
        kept.write(password + "\n")
    save(database, SHOP, "operator", password)
    return True


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


def log_in(database: Database, account: AccountKey, attempt: Attempt) -> Entry | None:
    """A new visit; None where name and password don't fit, which is told people where it happens too often.

    Raises Blocked, passwords.TooMany, DatabaseOutage.
    """
    failures = _begin(database, attempt)
    person = database.run(lambda connection: _named(connection, attempt.name))
    try:
        fitting = passwords.fits(person.password if person else None, attempt.password)
    except passwords.TooMany:
        database.run(lambda connection: _take_back(connection, attempt.subjects, failures))
        raise
    if person is None or not fitting:
        _tell(database, account, attempt, failures)
        return None
    entry = Entry(secrets.token_urlsafe(32))

    def begin(connection: Connection) -> None:
        name, address = attempt.subjects
        Failures(connection).forget([name])
        Failures(connection).take_back(address, failures[1])
        Visits(connection).begin(_hash(entry.token), person.name, secrets.token_urlsafe(32), longest=LONGEST)

    database.run(begin)
    log.info("logged_in", person=person.name)
    return entry


def visit(database: Database, token: str, *, whole: bool = True) -> Visit | None:
    """Whose cookie it is; None where the visit is over, or never was one. Raises DatabaseOutage.

    Only a `whole` page takes the notice and makes the visit last: a page that is left open asks for its parts alone.
    """
    hashed = _hash(token)

    def look(connection: Connection) -> Visit | None:
        visits = Visits(connection)
        return (visits.visit if whole else visits.seen)(hashed, idle=IDLE, longest=LONGEST)

    return database.run(look)


def leave_notice(database: Database, token: str, notice: str) -> None:
    """Have the next page of the visit show it; raises DatabaseOutage."""
    database.run(lambda connection: Visits(connection).leave_notice(_hash(token), notice))


def log_out(database: Database, token: str) -> None:
    """End the visit, whoever else has the cookie; raises DatabaseOutage."""
    database.run(lambda connection: Visits(connection).end(_hash(token)))


def _begin(database: Database, attempt: Attempt) -> Sequence[int]:
    """The failures of its name and of its address, should it fail; raises Blocked."""

    def work(connection: Connection) -> list[int]:
        failures = Failures(connection)
        failures.forget_old()
        counted: list[int] = []
        for subject, free in zip(attempt.subjects, _FREE, strict=True):
            count = failures.attempt(subject, free=free, first=FIRST_BLOCK, most=LONGEST_BLOCK)
            if count is None:
                raise Blocked(max(1.0, failures.blocked_for(attempt.subjects)))
            counted.append(count)
        return counted

    return database.run(work)


def _take_back(connection: Connection, subjects: Sequence[str], counted: Sequence[int]) -> None:
    for subject, count in zip(subjects, counted, strict=True):
        Failures(connection).take_back(subject, count)


def _tell(database: Database, account: AccountKey, attempt: Attempt, failures: Sequence[int]) -> None:
    """Have people told of what blocks; it is over once that has not happened for a while."""
    by = [what for what, count, free in zip(_BY, failures, _FREE, strict=True) if count > free]
    if not by:
        return
    log.warning("logins_blocked", by=by, failures=max(failures), address=_network(attempt.address))
    reason = "too many wrong passwords for one name, or from one address"
    alert = NewAlert(account, AlertKind.LOGINS_BLOCKED, "log in", {"reason": reason})
    database.run(lambda connection: problems.notice(connection, alert))


def _named(connection: Connection, name: str) -> Person | None:
    """The one of that name; what no name can be is not looked for."""
    return People(connection).named(name if _NAME.fullmatch(name) else "")


def _network(address: str) -> str:
    """The address, or what one customer of a provider has: with IPv6 that is 64 bits of it."""
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped
        return str(inner or IPv6Network((int(found), 64), strict=False).network_address)
    return str(found)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _subject(name: str) -> str:
    """Somebody may type the password where the name belongs: what was typed is not kept."""
    return f"name:{_hash(name).hex()}"
