"""What verifications found: listing, acknowledging, resolving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.backoffice.operations.paging import Page, page
from shared.database.pool import Connection, Database
from shared.refusal import Refused
from shared.store.findings import Finding, Findings, retell
from shared.vocabulary import AccountKey

UNRESOLVED: Final = ("open", "acknowledged")
EVERY: Final = (*UNRESOLVED, "resolved")


class NoSuchFinding(Refused):
    """Some of the findings are not there, or not in a state for it; the text is fit for people."""


def found(database: Database, account: AccountKey, states: Sequence[str], limit: int) -> list[Finding]:
    """Findings in one of `states`, newest first; raises DatabaseOutage."""
    return database.run(lambda connection: Findings(connection, account).latest(states, limit))


def paged(database: Database, account: AccountKey, state: str, number: int) -> Page[Finding]:
    """Page `number` of the findings in `state`, newest first; raises DatabaseOutage."""

    def read(connection: Connection) -> Page[Finding]:
        findings = Findings(connection, account)
        return page(lambda limit, offset: findings.latest([state], limit, offset=offset), number)

    return database.run(read)


def acknowledge(database: Database, account: AccountKey, ids: Sequence[int], *, by: str) -> list[int]:
    """Somebody knows of them: nobody is mailed about them any more. Raises NoSuchFinding, DatabaseOutage."""

    def work(connection: Connection) -> list[int]:
        return _all_of(ids, Findings(connection, account).acknowledge(ids, by), connection, account)

    return database.run(work)


def resolve(database: Database, account: AccountKey, ids: Sequence[int], *, by: str, how: str) -> list[int]:
    """They are over; the next verification opens anew what still is wrong. Raises NoSuchFinding, DatabaseOutage."""

    def work(connection: Connection) -> list[int]:
        done = Findings(connection, account).resolve(dict.fromkeys(ids, how), by)
        return _all_of(ids, done, connection, account)

    return database.run(work)


def _all_of(ids: Sequence[int], done: list[int], connection: Connection, account: AccountKey) -> list[int]:
    """`done`, where that is all; the mail that waits tells of what is left."""
    others = sorted(set(ids) - set(done))
    if others:
        raise NoSuchFinding(f"no such finding, or it was over before: {', '.join(map(str, others))}")
    retell(connection, account, news=False)
    return done
