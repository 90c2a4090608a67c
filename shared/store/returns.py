"""Putting goods back into stock after a refund or dispute: one transaction over refund, ledger, product and alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from psycopg import Connection

from shared.alerts import AlertKey
from shared.refusal import Refused
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

BY_ITSELF: Final = "stocksync"
"""Who decides where no person is asked."""


NOTHING_PLACED: Final = "nothing of the sale had been taken off any stock"
"""Why nobody is asked about a refund whose sale waits to be placed."""


class NotReturnable(Refused):
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
    """Put `units` of each line back, or what was proposed (None); the products to sync. Raises NotReturnable.

    Where nothing was proposed somebody has to name units: an answer is for good, and this would be none.
    """
    refunds = Refunds(connection, account)
    found = _open(refunds, refund)
    refunds.lock_session(found.session)
    lines = refunds.lines(refund)
    wanted = units if units is not None else _proposed(refund, lines)
    _check(connection, account, found, lines, wanted=wanted)
    back = [line for line in lines if wanted.get(line.line)]
    movements = [_movement(account, found, line, wanted[line.line], by=by, reason=reason) for line in back]
    Movements(connection, account).append(movements)
    products = sorted({line.product for line in back})
    Products(connection, account).mark_dirty(products)
    _decide(connection, account, found, "accepted", by=by, reason=reason, returned=wanted)
    return products


def _proposed(refund: RefundId, lines: Sequence[RefundLine]) -> dict[LineItemId, int]:
    if not any(line.proposed for line in lines):
        raise NotReturnable(
            f"no units are proposed of {refund}: say what came back with --units LINE=UNITS (`stocksync refunds list`"
            f" shows the lines), or `stocksync refunds dismiss {refund}` where nothing did"
        )
    return {line.line: line.proposed for line in lines}


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


def void(
    connection: Connection[Any], account: AccountKey, refund: RefundId, *, reason: str
) -> list[ProductId]:
    """Note that the money did not go back after all; the products to sync.

    What a person said came back stays, whatever became of the money. What was put back without asking anybody is
    taken out again: the customer has it.
    """
    refunds = Refunds(connection, account)
    found = refunds.lock(refund)
    if found is None:
        return []
    never_asked = found.decided_by == BY_ITSELF and not refunds.lines(refund)
    if found.state == "open" or never_asked:
        _decide(connection, account, found, "void", by=BY_ITSELF, reason=reason)
    elif found.state == "accepted" and found.decided_by == BY_ITSELF:
        return _take_out(connection, account, found, reason)
    return []


def _take_out(
    connection: Connection[Any], account: AccountKey, refund: Refund, reason: str
) -> list[ProductId]:
    back = [line for line in Refunds(connection, account).lines(refund.id) if line.returned]
    Movements(connection, account).append(
        [
            _movement(account, refund, line, -line.returned, by=BY_ITSELF, reason=reason, key="unreturn")
            for line in back
        ]
    )
    products = sorted({line.product for line in back})
    Products(connection, account).mark_dirty(products)
    nothing = {line.line: 0 for line in back}
    _decide(connection, account, refund, "dismissed", by=BY_ITSELF, reason=reason, returned=nothing)
    return products


def _movement(
    account: AccountKey,
    refund: Refund,
    line: RefundLine,
    units: int,
    *,
    by: str,
    reason: str,
    key: str = "return",
) -> Movement:
    return Movement(
        account,
        line.product,
        line.size,
        units,
        MovementKind.RETURNED,
        f"{key}:{account}:{refund.id}:{line.line}",
        session=refund.session,
        actor=by,
        reason=reason,
    )


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
