"""Refunds and disputes that people decide about: what came back goes into stock again, or nothing did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.backoffice.operations.hints import hint
from shared.broker.port import Broker
from shared.database.pool import Connection, Database
from shared.store import returns
from shared.store.refunds import Refund, RefundLine, Refunds
from shared.vocabulary import AccountKey, LineItemId, ProductId, RefundId


@dataclass(frozen=True, slots=True)
class Listed:
    """A refund with its lines."""

    refund: Refund
    lines: list[RefundLine]


def listed(database: Database, account: AccountKey, *, only_open: bool) -> list[Listed]:
    """Refunds and disputes, newest first; raises DatabaseOutage."""

    def read(connection: Connection) -> list[Listed]:
        refunds = Refunds(connection, account)
        return [Listed(one, refunds.lines(one.id)) for one in refunds.listed(only_open=only_open)]

    return database.run(read)


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
