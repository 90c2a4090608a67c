"""Putting goods back into stock after a refund or dispute: one transaction over refund, ledger, product and alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from shared.alerts import AlertKey
from shared.store.alerts import Alerts
from shared.store.movements import Movements
from shared.store.products import Products
from shared.store.refunds import Refund, RefundLine, Refunds
from shared.vocabulary import (
    AccountKey,
    AlertKind,
    LineItemId,
    Movement,
    MovementKind,
    ProductId,
    RefundId,
    is_dispute,
)


class NotReturnable(ValueError):
    """The refund can't be decided so; the text is fit for people."""


def accept(
    connection: Connection[Any],
    account: AccountKey,
    refund: RefundId,
    units: Mapping[LineItemId, int] | None,
    *,
    by: str,
    reason: str = "",
) -> list[ProductId]:
    """Put `units` of each line back, or what was proposed (None); the products to sync. Raises NotReturnable."""
    refunds = Refunds(connection, account)
    found = _open(refunds, refund)
    refunds.lock_session(found.session)
    lines = refunds.lines(refund)
    wanted = units if units is not None else {line.line: line.proposed for line in lines}
    _check(connection, account, found, lines, wanted=wanted)
    back = [line for line in lines if wanted.get(line.line)]
    movements = [
        Movement(
            account,
            line.product,
            line.size,
            wanted[line.line],
            MovementKind.RETURNED,
            f"return:{account}:{refund}:{line.line}",
            session=found.session,
            actor=by,
            reason=reason,
        )
        for line in back
    ]
    Movements(connection, account).append(movements)
    products = sorted({line.product for line in back})
    Products(connection, account).mark_dirty(products)
    _decide(connection, account, found, "accepted", by=by, reason=reason, returned=wanted)
    return products


def _check(
    connection: Connection[Any],
    account: AccountKey,
    refund: Refund,
    lines: Sequence[RefundLine],
    *,
    wanted: Mapping[LineItemId, int],
) -> None:
    """Raise NotReturnable where `wanted` is more than what was sold and did not come back yet."""
    known = {line.line: line for line in lines}
    left = {b.line: b.units - b.returned for b in Refunds(connection, account).booked(refund.session)}
    for line, number in wanted.items():
        if line not in known:
            raise NotReturnable(f"{refund.id} has no line {line}")
        if not 0 <= number <= left.get(line, 0):
            raise NotReturnable(f"of {line} at most {left.get(line, 0)} can come back, not {number}")
    products = {known[line].product for line, number in wanted.items() if number}
    for product, state in Products(connection, account).states(products).items():
        if state == "closed":
            raise NotReturnable(f"{product} was deleted in Stripe: it has no stock any more")


def dismiss(
    connection: Connection[Any], account: AccountKey, refund: RefundId, *, by: str, reason: str
) -> None:
    """Note that nothing of a refund came back; raises NotReturnable."""
    found = _open(Refunds(connection, account), refund)
    _decide(connection, account, found, "dismissed", by=by, reason=reason)


def void(connection: Connection[Any], account: AccountKey, refund: RefundId, *, reason: str) -> bool:
    """Note that the money did not go back after all; whether the refund was still to be decided about."""
    refunds = Refunds(connection, account)
    found = refunds.lock(refund)
    if found is None or found.state != "open":
        return False
    _decide(connection, account, found, "void", by="stocksync", reason=reason)
    return True


def _open(refunds: Refunds, refund: RefundId) -> Refund:
    found = refunds.lock(refund)
    if found is None:
        raise NotReturnable(f"no refund or dispute {refund} of a sale that is booked here")
    if found.state != "open":
        raise NotReturnable(f"{refund} was decided before: {found.state} by {found.decided_by}")
    return found


def _decide(
    connection: Connection[Any],
    account: AccountKey,
    refund: Refund,
    state: str,
    *,
    by: str,
    reason: str,
    returned: Mapping[LineItemId, int] | None = None,
) -> None:
    Refunds(connection, account).decide(refund.id, state, by=by, reason=reason, returned=returned)
    kind = AlertKind.DISPUTED if is_dispute(refund.id) else AlertKind.REFUND_PROPOSED
    Alerts(connection, account).resolve([AlertKey(kind, refund.id)])
