"""Sold lines that no size could be found for: a person says which size they are, or that they take no stock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.backoffice.operations.hints import hint
from services.backoffice.operations.paging import Page, page
from services.backoffice.operations.stocktaking import Author, Place, Shop, book
from shared.alerts import AlertKey
from shared.database.pool import Connection, Database
from shared.refusal import Refused
from shared.store.alerts import Alerts
from shared.store.unplaced import Held, UnplacedSales
from shared.vocabulary import AccountKey, AlertKind, Movement, MovementKind

OPEN: Final = ("open",)
EVERY: Final = (*OPEN, "placed", "dismissed")


class NotHeld(Refused):
    """No sold line with this number waits; the text is fit for people."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The line, and the units on hand `before` and `after` it came off; whether the stock worker was `told` already."""

    held: Held
    before: int
    after: int
    told: bool


def listed(database: Database, account: AccountKey, states: tuple[str, ...], limit: int) -> list[Held]:
    """Lines in one of `states`, oldest first; raises DatabaseOutage."""
    return database.run(lambda connection: UnplacedSales(connection, account).listed(states, limit))


def paged(
    database: Database, account: AccountKey, states: tuple[str, ...], number: int, *, newest: bool
) -> Page[Held]:
    """Page `number` of the lines in one of `states`, oldest or `newest` first; raises DatabaseOutage."""

    def read(connection: Connection) -> Page[Held]:
        held = UnplacedSales(connection, account)
        return page(lambda limit, offset: held.listed(states, limit, offset=offset, newest=newest), number)

    return database.run(read)


def one(database: Database, account: AccountKey, number: int) -> Held:
    """The line with this number; raises NotHeld, DatabaseOutage."""
    held = database.run(lambda connection: UnplacedSales(connection, account).one(number))
    if held is None:
        raise _never(number)
    return held


def place(shop: Shop, number: int, where: Place, author: Author) -> Placed:
    """Take the line's units off `where`, as its sale would have; raises NotHeld, NotChangeable, DatabaseOutage."""

    def work(connection: Connection) -> tuple[Held, int, int]:
        held = _open(connection, shop.account, number)
        sale = Movement(
            shop.account,
            where.product.id,
            where.size,
            -held.quantity,
            MovementKind.SALE,
            held.source_key,
            session=held.session,
            actor=author.actor,
            reason=author.reason,
        )
        before, after = book(connection, where, sale)
        _close(connection, shop.account, held, "placed", by=author.actor)
        return held, before, after

    held, before, after = shop.database.run(work)
    return Placed(held, before, after, hint(shop.broker, shop.account, [where.product.id]))


def dismiss(database: Database, account: AccountKey, number: int, *, by: str) -> Held:
    """Note that the line takes no stock; raises NotHeld, DatabaseOutage."""

    def work(connection: Connection) -> Held:
        held = _open(connection, account, number)
        _close(connection, account, held, "dismissed", by=by)
        return held

    return database.run(work)


def _open(connection: Connection, account: AccountKey, number: int) -> Held:
    held = UnplacedSales(connection, account).lock(number)
    if held is None:
        raise _never(number)
    if held.state != "open":
        raise NotHeld(f"sale {number} was {held.state} by {held.resolved_by or 'somebody'} already")
    return held


def _never(number: int) -> NotHeld:
    return NotHeld(f"no sale {number} waits: `stocksync unplaced list` shows those that do")


def _close(connection: Connection, account: AccountKey, held: Held, state: str, *, by: str) -> None:
    UnplacedSales(connection, account).decide(held.id, state, by)
    Alerts(connection, account).resolve([AlertKey(AlertKind.UNPLACED_SALE, f"{held.session}/{held.line}")])
