"""Sales whose money goes back by refund or dispute, and what is kept of that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.stock_worker.refunds import Desk
from shared.messages import RefundChanged
from shared.store import returns
from shared.store.refunds import Refund, Refunds
from shared.vocabulary import AccountKey, EventId, LineItemId, ProductId, RefundId, SessionId
from tests.integration.stock_worker.shop import ACCOUNT, Shop


def stocked(shop: Shop) -> ProductId:
    """A shirt in two sizes, adopted."""
    shirt = shop.product(sizes="S,M", stock_S="10", stock_M="10")
    shop.sync(shirt)
    return shirt


def sold(shop: Shop, shirt: ProductId) -> SessionId:
    """Two of S and three of M, a euro each, booked and shown."""
    session = shop.sold(shop.line(shirt, "S", 2), shop.line(shirt, "M", 3))
    shop.book(session)
    return session


def payment(shop: Shop, session: SessionId) -> str:
    """The payment intent of a session."""
    return str(shop.stripe.v1.checkout.sessions.retrieve(session).payment_intent)


def refunded(shop: Shop, session: SessionId, amount: int | None = None) -> RefundId:
    """Somebody gives money back in the Dashboard."""
    wanted: Any = {"payment_intent": payment(shop, session)} | ({"amount": amount} if amount else {})
    return RefundId(shop.stripe.v1.refunds.create(wanted).id)


def told(refund: RefundId, account: AccountKey = ACCOUNT) -> RefundChanged:
    """The message of the refund's webhook."""
    return RefundChanged(account=account, refund=refund, event=EventId("evt_1"), at=datetime.now(UTC))


def kept(desk: Desk) -> list[tuple[Refund, list[tuple[str, int, int]]]]:
    """Refunds with (size, proposed, returned) of each line, by size."""

    def read(refunds: Refunds) -> list[tuple[Refund, list[tuple[str, int, int]]]]:
        return [
            (one, sorted((line.size, line.proposed, line.returned) for line in refunds.lines(one.id)))
            for one in refunds.listed(("open", "accepted", "dismissed", "void"), 200)
        ]

    return desk.database.run(lambda connection: read(Refunds(connection, ACCOUNT)))


def accept(desk: Desk, refund: RefundId, **units: int) -> list[ProductId]:
    """A person says what came back; without units, what is proposed."""
    wanted = {LineItemId(line): number for line, number in units.items()} or None
    return desk.database.run(lambda c: returns.accept(c, ACCOUNT, refund, wanted, by="ada"))


def disputed(shop: Shop, session: SessionId, amount: int | None = None, **wanted: str) -> RefundId:
    """The buyer's bank takes money back."""
    named = {"session": session, **wanted} | ({"amount": amount} if amount else {})
    return RefundId(shop.control("/_disputes", named)["id"])


def moved(shop: Shop, dispute: RefundId, status: str) -> RefundId:
    """The dispute goes on."""
    shop.control(f"/_disputes/{dispute}", {"status": status})
    return dispute


def proposed(desk: Desk) -> dict[RefundId, tuple[str, int]]:
    """(state, units proposed) of everything kept."""
    return {one.id: (one.state, sum(units for _, units, _ in lines)) for one, lines in kept(desk)}


def asked(shop: Shop) -> list[tuple[str, str]]:
    """(kind, subject) of the open alerts that are about no level of stock."""
    return [one for one in shop.alerts() if one[0] != "low_stock"]
