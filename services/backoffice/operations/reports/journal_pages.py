"""What moved and what was sold, a page at a time, newest first, with who bought where that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.backoffice.operations.reports.products import find
from services.backoffice.operations.reports.stock import Ledger
from shared.database.pool import Connection
from shared.refusal import Refused
from shared.store import customers
from shared.store.customers import Bought
from shared.store.journal import SoldUnits
from shared.store.journal_pages import NEWEST, NEWEST_SALE, JournalPages, Mark, Moved, PaidSale, Sought
from shared.store.levels import Named
from shared.store.unplaced import Held, UnplacedSales
from shared.vocabulary import MovementKind, SessionId, Size

PAGE: Final = 50
"""Entries of one page."""


class NoSuchSale(Refused):
    """No session with this id is booked."""


class SizeAlone(Refused):
    """A size was asked for, and not of which product."""


@dataclass(frozen=True, slots=True)
class MovementPage:
    """Some movements; `older` is where the next page begins (None: this is the last).

    `looked_until` says how far was looked through where what is sought is rarer than a page can wait for.
    """

    entries: list[Moved]
    product: Named | None
    older: Mark | None
    looked_until: datetime | None
    buyers: Mapping[SessionId, Bought] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SoldSession:
    """A sale with what it took off the stock, its lines that no size was found for, and who bought."""

    sale: PaidSale
    lines: Sequence[SoldUnits]
    held: Sequence[Held]
    buyer: Bought | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SalePage:
    """Some sales; `older` is where the next page begins (None: this is the last)."""

    sales: list[SoldSession]
    older: Mark | None


def movements(
    ledger: Ledger, product: str, size: str | None, kind: MovementKind | None, *, before: Mark | None
) -> MovementPage:
    """A page of movements of the product that `product` names ('' for all).

    Raises Unclear, SizeAlone, DatabaseOutage.
    """
    if size is not None and not product:
        raise SizeAlone("say which product the size is of")
    named = find(ledger.database, ledger.account, product) if product else None
    sought = Sought(named.id if named else None, None if size is None else Size(size), kind)
    begins = before or NEWEST

    def read(connection: Connection) -> MovementPage:
        journal = JournalPages(connection, ledger.account)
        found = journal.movements(sought, begins, PAGE + 1)
        entries, full = found[:PAGE], len(found) > PAGE
        looked = None if full else journal.looked_until(sought, begins)
        buyers = _buyers(connection, ledger, [one.session for one in entries])
        return MovementPage(
            entries, named, entries[-1].mark if full else looked, looked.at if looked else None, buyers
        )

    return ledger.database.run(read)


def sales(ledger: Ledger, *, since: datetime | None, recovered: bool, before: Mark | None) -> SalePage:
    """A page of sales booked since `since`; raises DatabaseOutage."""

    def read(connection: Connection) -> SalePage:
        journal = JournalPages(connection, ledger.account)
        found = journal.sales(before or NEWEST_SALE, since, PAGE + 1, recovered=recovered)
        entries = found[:PAGE]
        older = entries[-1].mark if len(found) > PAGE else None
        return SalePage(_whole(connection, ledger, entries), older)

    return ledger.database.run(read)


def sale(ledger: Ledger, session: SessionId) -> tuple[SoldSession, list[Moved]]:
    """A sale, and every movement it made; raises NoSuchSale, DatabaseOutage."""

    def read(connection: Connection) -> tuple[SoldSession, list[Moved]]:
        journal = JournalPages(connection, ledger.account)
        found = journal.sale(session)
        if found is None:
            raise NoSuchSale(f"no sale {session} is booked")
        return _whole(connection, ledger, [found])[0], journal.of_session(session)

    return ledger.database.run(read)


def buyers(ledger: Ledger, sessions: Sequence[SessionId | None]) -> dict[SessionId, Bought]:
    """Who made these sales, as far as it is kept; raises DatabaseOutage."""
    return ledger.database.run(lambda connection: _buyers(connection, ledger, sessions))


def _buyers(
    connection: Connection, ledger: Ledger, sessions: Sequence[SessionId | None]
) -> dict[SessionId, Bought]:
    return customers.of_sessions(connection, ledger.account, [one for one in sessions if one is not None])


def _whole(connection: Connection, ledger: Ledger, found: Sequence[PaidSale]) -> list[SoldSession]:
    sessions = [one.session for one in found]
    sold = JournalPages(connection, ledger.account).sold(sessions)
    held = UnplacedSales(connection, ledger.account).of_sessions(sessions)
    bought = _buyers(connection, ledger, sessions)
    return [
        SoldSession(
            one,
            sold.get(one.session, []),
            [line for line in held if line.session == one.session],
            bought.get(one.session),
        )
        for one in found
    ]
