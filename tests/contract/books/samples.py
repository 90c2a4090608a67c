"""What the tests of the books write down."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from services.stock_worker.books import Books, Tx
from shared.alerts import NewAlert
from shared.store.products import ProductRow, VariantRow
from shared.store.sales import Sale
from shared.store.writes import Revs
from shared.vocabulary import (
    AccountKey,
    AlertKind,
    LineItemId,
    Movement,
    MovementKind,
    ProductId,
    SessionId,
    Size,
    UnplacedSale,
)
from shared.writes import Units, Write, WriteState

ACCOUNT = AccountKey("self:test")
MUG = ProductId("prod_mug")
HAT = ProductId("prod_hat")
M, S = Size("M"), Size("S")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def stocked(books: Books, product: ProductId = MUG) -> None:
    """A clean product with the sizes M and S, opened at 0."""

    def work(tx: Tx) -> None:
        tx.products.create(product, "Mug")
        tx.products.save_sizes(product, {S: "managed", M: "managed"}, opened=[M, S])
        tx.products.mark_clean(product)

    books.run(work)


def write(rev: int, product: ProductId = MUG) -> Write:
    """Write number `rev` of the product."""
    return Write(
        account=ACCOUNT,
        product=product,
        rev=rev,
        installation="one",
        key=f"key-{product}-{rev}",
        body={"stock_S": "1", "stock_M": str(rev), "stock_rev": f"marker-{product}-{rev}"},
        marker=f"marker-{product}-{rev}",
        target={M: rev, S: 1},
        base_marker="",
        base_values={M: 0, S: 1},
    )


def planned(books: Books, made: Write, state: WriteState | None = None) -> None:
    """Commit to a write, and leave it in `state` where one is given."""

    def work(tx: Tx) -> None:
        tx.writes.insert(made)
        if state is not None:
            assert tx.writes.leave_pending(made, state, "as the test wants")

    books.run(work)


def movement(key: str, delta: int, size: Size = M, kind: MovementKind = MovementKind.EXTERNAL) -> Movement:
    """A movement of the mug."""
    return Movement(ACCOUNT, MUG, size, delta, kind, key)


def sale_of(key: str, units: int, session: str, size: Size = M) -> Movement:
    """A sale of the mug."""
    return replace(movement(key, -units, size, MovementKind.SALE), session=SessionId(session))


def booked(session: str) -> Sale:
    """A session of one line."""
    return Sale(ACCOUNT, SessionId(session), "webhook", None, AT, 1, 0)


def unplaced(key: str) -> UnplacedSale:
    """A line that names no size."""
    return UnplacedSale(ACCOUNT, SessionId("cs_1"), LineItemId(f"li_{key}"), key, MUG, None, 2, "no size")


def alert(kind: AlertKind, subject: str = MUG) -> NewAlert:
    """An alert on the mug."""
    facts = {"product": MUG, "sales": [{"session": "cs_1", "units": 1}]}
    return NewAlert(ACCOUNT, kind, subject, facts)


def row(books: Books, product: ProductId = MUG) -> ProductRow:
    """The product's row, which must be there."""
    found = books.run(lambda tx: tx.products.lock(product))
    assert found is not None
    return found


def variants(books: Books, *products: ProductId) -> list[VariantRow]:
    """The sizes of products."""
    return books.run(lambda tx: tx.products.variants(products))


def revs(books: Books) -> Revs:
    """Where the mug's revs stand."""
    return books.run(lambda tx: tx.writes.revs(MUG))


def on_hand(books: Books) -> Units:
    """The mug's balances."""
    return {v.size: v.on_hand for v in variants(books, MUG)}
