"""Changing what is on hand: goods that came in, corrections, and counts; each is a movement that says who and why."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from services.backoffice.operations.changeable import called, listed, of_product, of_size
from services.backoffice.operations.hints import hint
from services.backoffice.operations.reports.products import find
from shared import clock
from shared.broker.port import Broker
from shared.database.pool import Connection, Database
from shared.refusal import Refused
from shared.store.levels import Named
from shared.store.movements import Movements
from shared.store.products import ProductRow, Products, VariantRow
from shared.vocabulary import MAX_UNITS, AccountKey, Movement, MovementKind, Size

LOOK_SECONDS: Final = 30.0
"""How long a count waits for the stock worker to see what people typed into the Dashboard."""
_AGAIN: Final = 0.2  # seconds
_NEVER: Final = Event()


class NotChangeable(Refused):
    """The stock can't be changed so; the text is fit for people."""


class NobodyLooks(Refused):
    """No stock worker answered in time; the text is fit for people."""


@dataclass(frozen=True, slots=True)
class Shop:
    """One account's ledger, and the way to its stock worker."""

    database: Database
    broker: Broker
    account: AccountKey


@dataclass(frozen=True, slots=True)
class Place:
    """The size of a product whose stock changes; `size` is '' where it has no sizes."""

    product: Named
    size: Size

    def __str__(self) -> str:
        """`Shirt (prod_1), size M`."""
        return called(self.product.id, self.product.name, self.size)


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes it and why; an order that is given twice under one `order` counts once."""

    actor: str
    reason: str = ""
    order: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Changed:
    """Units on hand `before` and `after`; whether the stock worker was `told` already."""

    place: Place
    before: int
    after: int
    told: bool


def place(shop: Shop, product: str, size: str | None) -> Place:
    """What people mean by `product` and `size`; None is the only size there is.

    Raises Unclear, NotChangeable, DatabaseOutage.
    """
    return place_of(shop, find(shop.database, shop.account, product), size)


def place_of(shop: Shop, named: Named, size: str | None) -> Place:
    """The size of a product that is meant; None is the only one there is. Raises NotChangeable, DatabaseOutage."""
    with shop.database.transaction() as connection:
        known = [row.size for row in Products(connection, shop.account).variants([named.id])]
    if size is None:
        if len(known) > 1:
            raise NotChangeable(f"say which size of {_called(named)}: {listed(known)}")
        size = known[0] if known else ""
    if size not in known:
        raise NotChangeable(f"{_called(named)} has no size {size!r}, it has {listed(known)}")
    return Place(named, Size(size))


def on_hand(shop: Shop, where: Place) -> int:
    """Units on hand, once the stock can be changed at all; raises NotChangeable, DatabaseOutage."""
    return shop.database.run(lambda connection: _changeable(connection, shop.account, where)[1].on_hand)


def change(shop: Shop, where: Place, delta: int, *, kind: MovementKind, author: Author) -> Changed:
    """Add `delta` units, or take them away; raises NotChangeable, DatabaseOutage."""
    before, after = shop.database.run(
        lambda connection: _book(connection, shop.account, where, delta, kind=kind, author=author)
    )
    return Changed(where, before, after, hint(shop.broker, shop.account, [where.product.id]))


def count(shop: Shop, where: Place, units: int, *, author: Author, within: float = LOOK_SECONDS) -> Changed:
    """Set what is on hand to what somebody counted.

    What people typed into the Dashboard is taken in first, by the stock worker, and would be counted twice otherwise.
    Raises NotChangeable, NobodyLooks where that takes longer than `within` seconds, DatabaseOutage.
    """
    deadline = clock.monotonic() + within
    shop.database.run(lambda connection: _ask_for_a_look(connection, shop.account, where))
    told = hint(shop.broker, shop.account, [where.product.id])
    while True:
        done = shop.database.run(lambda c: _count(c, shop.account, where, units, author=author))
        if done is not None:
            before, after = done
            told = before == after or hint(shop.broker, shop.account, [where.product.id])
            return Changed(where, before, after, told)
        if clock.monotonic() > deadline:
            away = "" if told else " (the queue does not answer)"
            raise NobodyLooks(
                f"nothing was changed: no stock worker has looked at {_called(where.product)} within {within:g} s"
                f"{away}; see that it runs (`stocksync doctor`), and count again"
            )
        _NEVER.wait(_AGAIN)


def _ask_for_a_look(connection: Connection, account: AccountKey, where: Place) -> None:
    """Whoever looked at the product before must look again."""
    _changeable(connection, account, where)
    products = Products(connection, account)
    products.mark_dirty([where.product.id])
    products.next_version(where.product.id)


def _count(
    connection: Connection, account: AccountKey, where: Place, units: int, *, author: Author
) -> tuple[int, int] | None:
    """Book the difference; None while nobody has looked."""
    row, variant = _changeable(connection, account, where)
    if row.dirty:
        return None
    delta = units - variant.on_hand
    if not delta:
        return units, units
    return _book(connection, account, where, delta, kind=MovementKind.ADJUSTMENT, author=author)


def _book(
    connection: Connection,
    account: AccountKey,
    where: Place,
    delta: int,
    *,
    kind: MovementKind,
    author: Author,
) -> tuple[int, int]:
    before = _changeable(connection, account, where)[1].on_hand
    if before + delta > MAX_UNITS:
        raise NotChangeable(
            f"that would make {before + delta:,} units: no size can have more than {MAX_UNITS:,}"
        )
    if delta < 0 and before + delta < 0:
        raise NotChangeable(f"there are only {max(before, 0):,} of {where}, {-delta:,} can't be taken away")
    key = f"{kind.value}:{account}:{author.order}"
    return book(
        connection,
        where,
        Movement(
            account,
            where.product.id,
            where.size,
            delta,
            kind,
            key,
            actor=author.actor,
            reason=author.reason,
        ),
    )


def book(connection: Connection, where: Place, movement: Movement) -> tuple[int, int]:
    """Append the movement, once, and have Stripe follow; what was on hand before it and is now.

    Raises NotChangeable.
    """
    before = _changeable(connection, movement.account, where)[1].on_hand
    if not Movements(connection, movement.account).append([movement]):
        return before, before
    Products(connection, movement.account).mark_dirty([movement.product])
    return before, before + movement.delta


def _changeable(connection: Connection, account: AccountKey, where: Place) -> tuple[ProductRow, VariantRow]:
    """The product, locked, and its size; raises NotChangeable where a person has to see to something else first."""
    products, product = Products(connection, account), where.product.id
    row = products.lock(product)
    found = [one for one in products.variants([product]) if one.size == where.size]
    if row is None or not found:
        raise NotChangeable(f"{where} has never been seen in {account.rpartition(':')[2]} mode")
    if hindrance := of_product(row.state, row.reason):
        raise NotChangeable(f"{_called(where.product)} {hindrance}")
    if hindrance := of_size(found[0].state):
        raise NotChangeable(f"{where} {hindrance}")
    if not found[0].opened:
        raise NotChangeable(f"nobody has looked at {where} yet: try again in a moment")
    return row, found[0]


def _called(product: Named) -> str:
    return called(product.id, product.name)
