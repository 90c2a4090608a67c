"""Refunds and disputes that people decide about: what came back goes into stock again, or nothing did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.backoffice.operations.hints import hint
from services.backoffice.operations.paging import Page, page
from shared.broker.port import Broker
from shared.database.pool import Connection, Database
from shared.store import returns
from shared.store.refunds import Refund, RefundLine, Refunds
from shared.vocabulary import AccountKey, LineItemId, ProductId, RefundId, is_dispute

OPEN: Final = ("open",)
DECIDED: Final = ("accepted", "dismissed", "void")
EVERY: Final = (*OPEN, *DECIDED)
GUESSES: Final = {
    "all": "everything was paid back",
    "exact": "only the units below cost as much",
    "likely": "the units below cost as much, and others do too",
    "unknown": "no units cost as much",
}
"""By likeness: what the units that are proposed rest on."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A refund with its lines."""

    refund: Refund
    lines: list[RefundLine]

    @property
    def what(self) -> str:
        """`partial refund`, `full dispute`."""
        return f"{self.refund.kind} {'dispute' if is_dispute(self.refund.id) else 'refund'}"

    def back(self, line: RefundLine) -> int:
        """Units of `line` that came back, or that are proposed while nobody has decided."""
        return line.returned if self.refund.state == "accepted" else line.proposed


def listed(database: Database, account: AccountKey, states: Sequence[str], limit: int) -> list[Listed]:
    """Refunds and disputes in one of `states`, newest first; raises DatabaseOutage."""
    return database.run(lambda connection: _listed(Refunds(connection, account), states, limit))


def paged(database: Database, account: AccountKey, states: Sequence[str], number: int) -> Page[Listed]:
    """Page `number` of the refunds and disputes in one of `states`, newest first; raises DatabaseOutage."""

    def read(connection: Connection) -> Page[Listed]:
        refunds = Refunds(connection, account)
        return page(lambda limit, offset: _listed(refunds, states, limit, offset), number)

    return database.run(read)


def _listed(refunds: Refunds, states: Sequence[str], limit: int, offset: int = 0) -> list[Listed]:
    found = refunds.listed(states, limit, offset=offset)
    lines = refunds.lines_of([one.id for one in found])
    return [Listed(one, lines.get(one.id, [])) for one in found]


def accept(
    database: Database,
    broker: Broker,
    account: AccountKey,
    refund: RefundId,
    *,
    units: Mapping[LineItemId, int] | None,
    by: str,
    reason: str,
) -> tuple[list[ProductId], bool]:
    """Put back what came back, by default what was proposed; the products, and whether the worker was told already.

    Raises NotReturnable, DatabaseOutage.
    """
    products = database.run(lambda c: returns.accept(c, account, refund, units, by=by, reason=reason))
    return products, hint(broker, account, products)


def dismiss(database: Database, account: AccountKey, refund: RefundId, *, by: str, reason: str) -> None:
    """Note that nothing came back; raises NotReturnable, DatabaseOutage."""
    database.run(lambda c: returns.dismiss(c, account, refund, by=by, reason=reason))
