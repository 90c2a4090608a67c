"""Sold lines that no size could be found for: a person says which size they are, or that they take no stock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from services.backoffice.operations.hints import hint
from services.backoffice.operations.paging import Page, page
from services.backoffice.operations.stocktaking import Author, Place, Shop, book
from shared.alerts import AlertKey
from shared.aliases import LONGEST_NAME, LONGEST_SIZE
from shared.database.pool import Connection, Database
from shared.refusal import Refused
from shared.store.alerts import Alerts
from shared.store.aliases import Aliases, Taught
from shared.store.unplaced import Held, UnplacedSales
from shared.vocabulary import AccountKey, AlertKind, Movement, MovementKind

OPEN: Final = ("open",)
EVERY: Final = (*OPEN, "placed", "dismissed")


class NotHeld(Refused):
    """No sold line with this number waits; the text is fit for people."""


class NotTeachable(Refused):
    """A line like this can't be recognised the next time; the text is fit for people."""


class NotTaught(Refused):
    """There is no alias with this number; the text is fit for people."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """The alias that a placed line taught; whether such lines meant another size before, and which are open still."""

    alias: int
    replaced: bool
    alike: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """The line, and the units on hand `before` and `after` it came off; whether the stock worker was `told` already."""

    held: Held
    before: int
    after: int
    told: bool
    lesson: Lesson | None = None


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


def place(shop: Shop, number: int, where: Place, author: Author, *, always: bool = False) -> Placed:
    """Take the line's units off `where`, as its sale would have; `always` teaches that such lines are of that size.

    Raises NotHeld, NotTeachable, NotChangeable, DatabaseOutage; nothing is changed then.
    """

    def work(connection: Connection) -> Placed:
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
        lesson = _teach(connection, shop.account, held, where, by=author.actor) if always else None
        return Placed(held, before, after, told=False, lesson=lesson)

    placed = shop.database.run(work)
    return replace(placed, told=hint(shop.broker, shop.account, [where.product.id]))


def dismiss(database: Database, account: AccountKey, number: int, *, by: str) -> Held:
    """Note that the line takes no stock; raises NotHeld, DatabaseOutage."""

    def work(connection: Connection) -> Held:
        held = _open(connection, account, number)
        _close(connection, account, held, "dismissed", by=by)
        return held

    return database.run(work)


def aliases(database: Database, account: AccountKey) -> list[Taught]:
    """What people taught, oldest first; raises DatabaseOutage."""
    return database.run(lambda connection: Aliases(connection, account).listed())


def forget(database: Database, account: AccountKey, number: int, *, by: str) -> None:
    """Have an alias place nothing any more; what it placed stays placed. Raises NotTaught, DatabaseOutage."""
    if not database.run(lambda connection: Aliases(connection, account).forget(number, by)):
        raise NotTaught(f"there is no alias {number}: `stocksync unplaced aliases` shows those there are")


def _teach(connection: Connection, account: AccountKey, held: Held, where: Place, *, by: str) -> Lesson:
    told = held.told
    if not told.recognisable:
        raise NotTeachable(
            f"sale {held.id} names neither a product nor what it is called, so there is nothing to recognise the next"
            " one by: place it without --always"
        )
    if held.vague:
        raise NotTeachable(
            f"the session of sale {held.id} may name sizes, but not of which line, and the next one would be a guess:"
            " place it without --always"
        )
    if len(told.name) > LONGEST_NAME or len(told.size) > LONGEST_SIZE:
        raise NotTeachable(f"what sale {held.id} says is too long to be kept: place it without --always")
    number, replaced = Aliases(connection, account).teach(told, where.product.id, where.size, by)
    return Lesson(number, replaced, tuple(UnplacedSales(connection, account).alike(told)))


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
