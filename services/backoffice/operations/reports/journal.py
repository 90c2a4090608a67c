"""What moved and what was sold, newest first."""

from __future__ import annotations

from datetime import datetime

from services.backoffice.operations.reports.products import find
from services.backoffice.operations.reports.stock import Ledger
from shared.store.journal import BookedSale, Entry, Journal
from shared.vocabulary import ProductId, Size


def movements(
    ledger: Ledger, product: str | None, size: str | None, *, since: datetime, limit: int
) -> list[Entry]:
    """The newest movements of what `product` names, or of all; raises Unclear, DatabaseOutage."""
    named = None if product is None else find(ledger.database, ledger.account, product).id
    return movements_of(ledger, named, None if size is None else Size(size), since=since, limit=limit)


def movements_of(
    ledger: Ledger, product: ProductId | None, size: Size | None, *, since: datetime, limit: int
) -> list[Entry]:
    """The newest movements of a product, or of all; raises DatabaseOutage."""
    return ledger.database.run(lambda c: Journal(c, ledger.account).movements(product, size, since, limit))


def sales(ledger: Ledger, *, since: datetime, limit: int, recovered: bool) -> list[BookedSale]:
    """The newest sales; raises DatabaseOutage."""
    return ledger.database.run(lambda c: Journal(c, ledger.account).sales(since, limit, recovered=recovered))
