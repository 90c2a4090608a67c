"""Taking an import back: the opposite of each of its movements, all in one transaction, once."""

from __future__ import annotations

from dataclasses import dataclass

from services.backoffice.operations.changeable import called, of_product, of_size
from services.backoffice.operations.hints import hint
from services.backoffice.operations.stocktaking import Author, NotChangeable, Shop
from services.backoffice.operations.whole_stock.compare import Change, Known
from services.backoffice.operations.whole_stock.importing import NotImported, append, known
from services.backoffice.operations.whole_stock.sheet import Problem
from shared.database.pool import Connection
from shared.store.imports import Imported, Imports, opposite
from shared.store.products import Products
from shared.vocabulary import MAX_UNITS, AccountKey, Movement, MovementKind


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back; whether the stock worker was `told` already."""

    batch: str
    changes: tuple[Change, ...]
    told: bool


def undo(shop: Shop, batch: str, author: Author) -> Undone:
    """Take back what the batch changed; what was sold and edited since stays.

    Raises NotChangeable where there is no such batch or it was taken back, NotImported with every size that it can't be
    taken back from, DatabaseOutage.
    """
    changes = shop.database.run(lambda connection: _undo(connection, shop.account, batch, author))
    told = hint(shop.broker, shop.account, sorted({change.product for change in changes}))
    return Undone(batch, changes, told)


def _undo(connection: Connection, account: AccountKey, batch: str, author: Author) -> tuple[Change, ...]:
    imports = Imports(connection, account)
    booked = imports.batch(batch)
    if not booked:
        raise NotChangeable(f"no import is called {batch!r} (`stocksync movements` shows the batch of each)")
    touched = {one.product for one in booked}
    Products(connection, account).lock_all(touched)
    if (before := imports.undone(booked[0])) is not None:
        at, actor = before
        raise NotChangeable(f"{batch} was taken back before, by {actor} ({at:%Y-%m-%d %H:%M %Z})")
    now = known(connection, account, touched)
    problems = [Problem(0, why) for one in booked if (why := _hindrance(one, now[one.product]))]
    if problems:
        raise NotImported(problems)
    append(connection, account, [_back(account, one, author) for one in booked])
    return tuple(_change(one, now[one.product]) for one in booked)


def _hindrance(booked: Imported, product: Known) -> str:
    """Why it can't be taken back; '' where it can."""
    stand = product.sizes[booked.size]
    where = called(booked.product, product.name, booked.size)
    left = stand.on_hand - booked.delta
    if hindrance := of_product(product.state, product.reason) or of_size(stand.state):
        return f"{where} {hindrance}"
    if booked.delta > 0 and left < 0:
        return (
            f"there are only {max(stand.on_hand, 0):,} of {where} left, and the import added {booked.delta:,}"
        )
    if left > MAX_UNITS:
        return f"{where} would have {left:,} units: no size can have more than {MAX_UNITS:,}"
    return ""


def _back(account: AccountKey, booked: Imported, author: Author) -> Movement:
    return Movement(
        account,
        booked.product,
        booked.size,
        -booked.delta,
        MovementKind.ADJUSTMENT,
        opposite(booked.source_key),
        actor=author.actor,
        reason=author.reason,
    )


def _change(booked: Imported, product: Known) -> Change:
    before = product.sizes[booked.size].on_hand
    return Change(0, booked.product, product.name, booked.size, before, before - booked.delta)
