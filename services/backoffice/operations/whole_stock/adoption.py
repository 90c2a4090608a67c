"""Taking over Stripe's numbers for a shop that starts, and saying which of them can't be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.backoffice.operations.looks import Looked, Patience, look
from services.backoffice.operations.stocktaking import Shop
from services.backoffice.operations.whole_stock.compare import Known
from services.backoffice.operations.whole_stock.importing import known
from shared import stock_metadata
from shared.stripe_api.client import StripeApi
from shared.stripe_api.objects import Product
from shared.vocabulary import MAX_UNITS, PLAIN, ProductId, Size

_SEE: Final = "its alert says how to go on (`stocksync alerts list`)"


@dataclass(frozen=True, slots=True)
class Unread:
    """What of a product could not be read, and what to do; `size` None where it is all of it."""

    product: ProductId
    name: str
    size: Size | None
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What of Stripe's products is kept in the ledger."""

    products: int
    sizes: int
    units: int


@dataclass(frozen=True, slots=True)
class Adopted:
    """How many products Stripe lists and how many keep stock, what is `kept` now, and what could not be read."""

    listed: int
    keeping: int
    kept: Kept
    unread: tuple[Unread, ...]


def adopt(shop: Shop, stripe: StripeApi, patience: Patience) -> Adopted:
    """Have every product that keeps stock in Stripe looked at; harmless to repeat.

    Raises StripeFailed, SurprisingAnswer, or an Outage.
    """
    products = [product for page in stripe.products() for product in page]
    keeping = {product.id: product for product in products if _keeps(product)}
    shop.broker.declare()
    looked = look(shop, keeping, patience)
    books = shop.database.run(lambda connection: known(connection, shop.account, keeping))
    unread = [one for product in keeping.values() for one in _unread(product, books, looked)]
    unread.sort(key=lambda one: (one.name, one.product, one.size or ""))
    return Adopted(len(products), len(keeping), _kept(books), tuple(unread))


def _kept(books: Mapping[ProductId, Known]) -> Kept:
    tracked = [
        [stand.on_hand for stand in product.sizes.values() if stand.state == "managed" and stand.opened]
        for product in books.values()
        if product.state == "tracked"
    ]
    return Kept(
        products=sum(bool(sizes) for sizes in tracked),
        sizes=sum(map(len, tracked)),
        units=sum(max(0, units) for sizes in tracked for units in sizes),
    )


def _keeps(product: Product) -> bool:
    """Whether its metadata has anything that looks like stock."""
    return stock_metadata.read(product.metadata).tracked or bool(stock_metadata.numbers(product.metadata))


def _unread(product: Product, books: Mapping[ProductId, Known], looked: Looked) -> Iterator[Unread]:
    if product.id in looked.left:
        what = f"no stock worker has looked at it within {looked.within}"
        todo = "see that one runs (`stocksync doctor`), and start this again: it goes on where it was"
        yield Unread(product.id, product.name, None, what, todo)
        return
    found = books[product.id]
    if found.state == "quarantined":
        yield Unread(product.id, found.name, None, f"is in quarantine: {found.reason}", _SEE)
    elif found.state != "closed":
        yield from _sizes(product, found)


def _sizes(product: Product, found: Known) -> Iterator[Unread]:
    """What the ledger could not read; the words that stand there are those of Stripe's list."""
    sheet = stock_metadata.read(product.metadata)
    for size, stand in found.sizes.items():
        key = stock_metadata.stock_key(size)
        if stand.state == "unreadable":
            what = (
                f"{key} is {sheet.unreadable[size]!r}" if size in sheet.unreadable else f"{key} is no number"
            )
            todo = f"write a plain whole number there, such as 12, from 0 to {MAX_UNITS:,}"
            yield Unread(product.id, found.name, size, what, todo)
        elif stand.state == "missing" and size in sheet.missing:
            what = f"`sizes` names it, and there is no {key}"
            yield Unread(
                product.id, found.name, size, what, f"add {key} with its number, or take it out of `sizes`"
            )
    named = (
        "add it to `sizes`, or take {} away" if sheet.sizes else "write all sizes into `sizes`, such as S,M,L"
    )
    for size in stock_metadata.numbers(product.metadata).keys() - found.sizes.keys() - {PLAIN}:
        key = stock_metadata.stock_key(size)
        yield Unread(
            product.id, found.name, size, f"there is {key}, and `sizes` does not name it", named.format(key)
        )
