"""Setting the whole stock to what a table says: all of it in one transaction, or nothing; and taking that back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from services.backoffice.operations.hints import hint
from services.backoffice.operations.looks import Patience, look
from services.backoffice.operations.stocktaking import Author, NobodyLooks, Shop
from services.backoffice.operations.whole_stock.compare import (
    Change,
    Comparison,
    Known,
    Stand,
    compare,
    products,
)
from services.backoffice.operations.whole_stock.sheet import Problem, Sheet
from shared.database.pool import Connection
from shared.refusal import Refused
from shared.storable import storable_text
from shared.store.imports import Imports, source_key
from shared.store.movements import Movements
from shared.store.products import Products
from shared.vocabulary import AccountKey, Movement, MovementKind, ProductId, Size


class NotImported(Refused):
    """Nothing was changed, for these reasons; each is fit for people."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """`problems` in any order."""
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("; ".join(problem.text for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Done:
    """What was changed under which `batch`; whether the stock worker was `told` already."""

    batch: str
    found: Comparison
    told: bool


def preview(shop: Shop, sheet: Sheet, *, create_sizes: bool) -> Comparison:
    """What the table would change now; raises NotImported, DatabaseOutage."""
    return shop.database.run(lambda c: _sound(c, shop.account, sheet, create_sizes=create_sizes))


def apply(
    shop: Shop, sheet: Sheet, author: Author, *, create_sizes: bool, patience: Patience | None = None
) -> Done:
    """Set what is on hand to what the table says; the batch is the author's order, and counts once.

    It is a count: the stock worker looks at each product first, so that what was typed into the Dashboard is taken in
    and not counted twice. The sizes to create are left to the caller. Raises NotImported, NobodyLooks, DatabaseOutage.
    """
    preview(shop, sheet, create_sizes=create_sizes)
    named = products(sheet.rows)
    looked = look(shop, named, patience or Patience())
    if looked.left:
        raise NobodyLooks(
            f"nothing was changed: no stock worker has looked at {len(looked.left):,} of {len(named):,} products within"
            f" {looked.within}; see that it runs (`stocksync doctor`), and import again"
        )
    done = shop.database.run(lambda c: _book(c, shop.account, sheet, author, create_sizes=create_sizes))
    changed = sorted({change.product for change in done.changes})
    told = not changed or hint(shop.broker, shop.account, changed)
    return Done(author.order, done, told)


def booked(shop: Shop, batch: str) -> int:
    """How many sizes the batch changed; raises DatabaseOutage."""
    return len(shop.database.run(lambda connection: Imports(connection, shop.account).batch(batch)))


def _book(
    connection: Connection, account: AccountKey, sheet: Sheet, author: Author, *, create_sizes: bool
) -> Comparison:
    """Append all differences at once; the comparison they come from."""
    Products(connection, account).lock_all(_storable(products(sheet.rows)))
    found = _sound(connection, account, sheet, create_sizes=create_sizes)
    movements = {_movement(account, change, author): change for change in found.changes}
    booked = append(connection, account, list(movements))
    return replace(found, changes=tuple(movements[movement] for movement in booked))


def append(connection: Connection, account: AccountKey, movements: Sequence[Movement]) -> list[Movement]:
    """Book all of them, each once, and have Stripe follow; those that were not booked before."""
    new = Movements(connection, account).append(movements)
    booked = [movement for movement in movements if movement.source_key in new]
    Products(connection, account).mark_dirty(sorted({movement.product for movement in booked}))
    return booked


def _movement(account: AccountKey, change: Change, author: Author) -> Movement:
    return Movement(
        account,
        change.product,
        change.size,
        change.after - change.before,
        MovementKind.ADJUSTMENT,
        source_key(author.order, account, change.product, change.size),
        actor=author.actor,
        reason=author.reason,
    )


def _sound(connection: Connection, account: AccountKey, sheet: Sheet, *, create_sizes: bool) -> Comparison:
    """The table beside the ledger; raises NotImported."""
    found = compare(sheet.rows, known(connection, account, products(sheet.rows)), create_sizes=create_sizes)
    if problems := (*sheet.problems, *found.problems):
        raise NotImported(problems)
    return found


def known(
    connection: Connection, account: AccountKey, wanted: Collection[ProductId]
) -> dict[ProductId, Known]:
    """Those of the products that the ledger knows, with all of their sizes."""
    books = Products(connection, account)
    stands: dict[ProductId, dict[Size, Stand]] = {}
    asked = _storable(wanted)
    for row in books.variants(asked):
        stands.setdefault(row.product_id, {})[row.size] = Stand(row.on_hand, row.state, row.opened)
    return {
        row.id: Known(row.name, row.state, row.reason, stands.get(row.id, {})) for row in books.rows(asked)
    }


def _storable(wanted: Collection[ProductId]) -> list[ProductId]:
    """What the database can be asked for: other ids it does not have."""
    return [product for product in wanted if storable_text(product) == product]
