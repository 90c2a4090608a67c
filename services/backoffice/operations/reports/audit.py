"""The audit: the ledger of a period beside the sales it was made from, and what does not add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.backoffice.operations.reports.products import Unclear
from services.backoffice.operations.reports.stock import Ledger
from shared.database.pool import Connection
from shared.periods import Period
from shared.store import customers
from shared.store.audit import Balance, Books, Counted, HeldLine, SoldLine

MOST_SOLD: Final = 1000
"""Sold lines that are listed one by one, where not all are asked for."""


@dataclass(frozen=True, slots=True)
class Audit:
    """All that was found; `problems` in words, empty where everything adds up. `more_sold` are left out of `sold`."""

    period: Period
    balances: tuple[Balance, ...]
    sold: tuple[SoldLine, ...]
    more_sold: int
    held: tuple[HeldLine, ...]
    problems: tuple[str, ...]


def audit(ledger: Ledger, period: Period, most_sold: int | None = MOST_SOLD) -> Audit:
    """The period's books, read in one state of the database; raises Unclear, DatabaseOutage."""
    if period.begins >= period.ends:
        raise Unclear("the period ends before it begins")

    def read(connection: Connection) -> Audit:
        connection.execute("set transaction isolation level repeatable read read only")
        connection.execute("set local statement_timeout = '15min'")  # the whole history of what moved
        books = Books(connection, ledger.account, period)
        balances = books.balances()
        problems = (
            *sums(balances),
            *counts(books.miscounted()),
            *(f"session {one.session}: a movement, but the sale is not booked" for one in books.unbooked()),
            *(
                f"session {one.session}: a held line and its movement disagree ({one.source_key})"
                for one in books.misplaced()
            ),
        )
        sold, held = tuple(books.sold(most_sold)), tuple(books.held())
        return Audit(period, tuple(balances), sold, books.sold_count() - len(sold), held, problems)

    return ledger.database.run(read)


def sums(balances: Sequence[Balance]) -> Iterator[str]:
    """Sizes whose movements do not make the balance that is kept beside them."""
    for one in balances:
        what = "/".join(filter(None, (one.product, one.size)))
        if one.total != one.on_hand:
            yield f"{what}: all movements make {one.total}, the balance kept is {one.on_hand}"


def counts(found: Sequence[Counted]) -> Iterator[str]:
    """Sessions whose lines are not all accounted for."""
    for one in found:
        skipped = "" if one.skipped is None else f", {one.skipped} take no stock"
        yield (
            f"session {one.session}: of {one.lines} lines {one.moved} moved stock, {one.held} are held"
            f" ({one.unplaced} were when it was booked){skipped}"
        )


def erase(ledger: Ledger, who: str) -> int:
    """Forget who made the sales of a customer (id or mail address); how many sales. Raises Unclear, DatabaseOutage."""
    erased = ledger.database.run(lambda c: customers.erase(c, ledger.account, who)) if who else 0
    if not erased:
        raise Unclear("no sale is known to be that customer's")
    return erased
