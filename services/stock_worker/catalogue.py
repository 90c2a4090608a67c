"""What the ledger knows of the products that sales name; products it does not know yet are adopted first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from services.stock_worker import manifest
from services.stock_worker.books import Tx
from services.stock_worker.deps import Deps
from services.stock_worker.sales import Catalogue, Shelf, could_be_kept, products_named
from services.stock_worker.sync import sync
from shared import stock_metadata
from shared.aliases import Aliases, normalized
from shared.outcomes import Done
from shared.storable import storable_text
from shared.stripe_api.objects import CheckoutSession
from shared.vocabulary import ProductId, Size


def named(sessions: Iterable[CheckoutSession]) -> frozenset[ProductId]:
    """Every product that `sessions` name and that could exist."""
    return frozenset(
        product for session in sessions for product in products_named(session) if could_be_kept(product)
    )


def load(tx: Tx, wanted: Collection[ProductId]) -> Catalogue:
    """The shelves of those of `wanted` that were looked at before."""
    sizes: dict[ProductId, set[Size]] = {}
    for row in tx.products.variants(wanted):
        known = sizes.setdefault(row.product_id, set())
        if row.state != "missing":
            known.add(row.size)
    return {
        product: Shelf(
            frozenset(sizes.get(product, ())), tracked=state != "untracked", closed=state == "closed"
        )
        for product, state in tx.products.states(wanted).items()
        if state != "tracked" or product in sizes  # else its first look has not ended yet
    }


def taught(tx: Tx, sessions: Sequence[CheckoutSession]) -> Aliases:
    """What people taught of lines such as those of `sessions`."""
    lines = [line for session in sessions for line in session.lines]
    entries = [entry for session in sessions for entry in manifest.entries(session.metadata)]
    products = {line.price.product.id for line in lines if line.price} | {entry.product for entry in entries}
    names = {normalized(line.name) for line in lines}
    return tx.aliases.telling({storable_text(product) for product in products}, names) if lines else {}


def followed(tx: Tx, aliases: Aliases) -> Aliases:
    """Those of `aliases` whose size is there, has a number that may be written, and belongs to a product in order."""
    if not aliases:
        return {}
    products = {alias.product for alias in aliases.values()}
    states = tx.products.states(products)
    sound = {
        (row.product_id, row.size)
        for row in tx.products.variants(products)
        if row.state == "managed" and row.opened and states.get(row.product_id) == "tracked"
    }
    return {told: alias for told, alias in aliases.items() if (alias.product, alias.size) in sound}


def adopt(sessions: Collection[CheckoutSession], known: Catalogue, deps: Deps) -> frozenset[ProductId]:
    """Look at the products that `sessions` name and the ledger does not know as they are now; where that failed."""
    outdated = stale(sessions, known)
    if outdated:
        deps.books.run(lambda tx: tx.products.mark_dirty(outdated))
    wanted = sorted(outdated | (named(sessions) - known.keys()))
    return frozenset(product for product in wanted if not isinstance(sync(product, deps), Done))


def stale(sessions: Iterable[CheckoutSession], known: Catalogue) -> set[ProductId]:
    """Products that the session shows with sizes that the ledger has not seen, or that were gone and are back."""
    shown = {
        line.price.product.id: line.price.product
        for session in sessions
        for line in session.lines
        if line.price and not line.price.product.deleted
    }
    return {
        product
        for product, value in shown.items()
        if (shelf := known.get(product)) is not None
        and (shelf.closed or not set(stock_metadata.read(value.metadata).units) <= shelf.sizes)
    }
