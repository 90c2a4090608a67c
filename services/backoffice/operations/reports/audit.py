"""The audit: the ledger of a period beside the sales it was made from, and what does not add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.backoffice.operations.reports.products import Unclear
from services.backoffice.operations.reports.stock import Ledger
from shared.database.pool import Connection
from shared.periods import Period
from shared.store import customers
from shared.store.audit import Balance, Books, Counted, HeldLine, SoldLine


@dataclass(frozen=True, slots=True)
class Audit:
    """All that was found; `problems` in words, empty where everything adds up."""

    period: Period
    balances: tuple[Balance, ...]
    sold: tuple[SoldLine, ...]
    held: tuple[HeldLine, ...]
    problems: tuple[str, ...]


def audit(ledger: Ledger, period: Period) -> Audit:
    """The period's books, read in one state of the database; raises Unclear, DatabaseOutage."""
    if period.begins >= period.ends:
        raise Unclear("the period ends before it begins")

    def read(connection: Connection) -> Audit:
        connection.execute("set transaction isolation level repeatable read read only")
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
        return Audit(period, tuple(balances), tuple(books.sold()), tuple(books.held()), problems)

    return ledger.database.run(read)


def sums(balances: Sequence[Balance]) -> Iterator[str]:
    """Sizes whose movements do not lead from the opening to the closing balance, or not to the balance kept."""
    for one in balances:
        what = "/".join(filter(None, (one.product, one.size)))
        changed = sum(one.kinds.values())
        if one.opening + changed != one.closing:
            yield f"{what}: {one.opening} at first and {changed:+} is not {one.closing}"
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
