"""Which units a paid session takes off which sizes: placed where it says so, else held for a person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from services.stock_worker import manifest
from shared.aliases import Aliases, told
from shared.stripe_api.objects import CheckoutSession, LineItem
from shared.vocabulary import (
    PLAIN,
    AccountKey,
    Movement,
    MovementKind,
    ProductId,
    Size,
    UnplacedSale,
)

PLAIN_ONLY: Final = frozenset({PLAIN})
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
MAX_QUANTITY: Final = 999_999  # the most Stripe lets a customer buy of one line


class UnbookableSession(Exception):
    """A line's quantity makes no sense: nothing of the session is booked."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A product as the ledger knows it: `sizes` that can be sold, or why none can (`closed`, untracked)."""

    sizes: frozenset[Size] = frozenset()
    tracked: bool = True
    closed: bool = False


Catalogue = Mapping[ProductId, Shelf]


@dataclass(frozen=True, slots=True)
class Booking:
    """All that one paid session does to stock; `skipped` lines have no stock to keep, or 0 units."""

    movements: tuple[Movement, ...]
    unplaced: tuple[UnplacedSale, ...]
    skipped: int


@dataclass(frozen=True, slots=True)
class _Placed:
    product: ProductId
    size: Size
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Held:
    product: ProductId | None
    size_hint: str | None
    reason: str
    vague: bool = False


def could_be_kept(product: ProductId) -> bool:
    """Whether stock can be kept of a product with this id; all that Stripe makes are such."""
    return _ID.fullmatch(product) is not None


def products_named(session: CheckoutSession) -> frozenset[ProductId]:
    """Every product that the session's lines or manifest name."""
    lines = {line.price.product.id for line in session.lines if line.price}
    return frozenset(lines | {entry.product for entry in manifest.entries(session.metadata)})


def book(
    account: AccountKey, session: CheckoutSession, catalogue: Catalogue, aliases: Aliases | None = None
) -> Booking:
    """The booking of a paid session, every line in it; raises UnbookableSession.

    `aliases` are what people taught, as far as it can be followed now: asked only where nothing else answers.
    """
    kept = {product for product, shelf in catalogue.items() if shelf.tracked or shelf.closed}
    matched = manifest.match(session.lines, manifest.entries(session.metadata), kept)
    known = _Context(catalogue, matched, _sized_lines(session, catalogue, matched), aliases or {})
    movements: list[Movement] = []
    unplaced: list[UnplacedSale] = []
    skipped = 0
    for line in session.lines:
        quantity = _quantity(line)
        where = _where(line, session, known) if quantity else None
        key = f"sale:{account}:{session.id}:{line.id}"
        if where is None:
            skipped += 1
        elif isinstance(where, _Held):
            unplaced.append(
                UnplacedSale(
                    account,
                    session.id,
                    line.id,
                    key,
                    where.product,
                    where.size_hint,
                    quantity,
                    where.reason,
                    line.name,
                    where.vague,
                )
            )
        else:
            sale = Movement(account, where.product, where.size, -quantity, MovementKind.SALE, key)
            movements.append(replace(sale, session=session.id, reason=where.reason))
    return Booking(tuple(movements), tuple(unplaced), skipped)


@dataclass(frozen=True, slots=True)
class _Context:
    catalogue: Catalogue
    matched: manifest.Matched
    sized: int  # how many lines are of products with sizes
    aliases: Aliases


def _quantity(line: LineItem) -> int:
    if line.quantity is None or not 0 <= line.quantity <= MAX_QUANTITY:
        raise UnbookableSession(f"line {line.id} has a quantity that makes no sense")
    return line.quantity


def _sized_lines(session: CheckoutSession, catalogue: Catalogue, matched: manifest.Matched) -> int:
    products = (_product(line, matched.by_line.get(line.id), catalogue) for line in session.lines)
    shelves = (catalogue.get(product) for product in products if product)
    return sum(1 for shelf in shelves if shelf and shelf.tracked and shelf.sizes != PLAIN_ONLY)


def _where(line: LineItem, session: CheckoutSession, known: _Context) -> _Placed | _Held | None:
    """Where the line belongs, or what people taught of such lines; None where it takes no stock."""
    found = _place(line, session, known)
    if not isinstance(found, _Held):
        return found
    if found.size_hint is None and _names_sizes(session, known.matched):
        return replace(found, vague=True)
    alias = known.aliases.get(told(found.product, line.name, found.size_hint))
    return found if alias is None else _Placed(alias.product, alias.size, alias.reason)


def _names_sizes(session: CheckoutSession, matched: manifest.Matched) -> bool:
    """Whether the session says something of sizes that can't be told to belong to one line or another."""
    return not matched.complete or any(map(_given, (session.metadata.get("size"), _custom_size(session))))


def _place(line: LineItem, session: CheckoutSession, known: _Context) -> _Placed | _Held | None:
    """Where the line says that it belongs; None where it takes no stock."""
    entry = known.matched.by_line.get(line.id)
    product = _product(line, entry, known.catalogue)
    if product is None:
        return _without_product(line, session, known)
    shelf = known.catalogue.get(product)
    if shelf is None:
        alone = len(session.lines) == 1
        hint = _size_hint(line, entry, session, only_one=alone)
        return _Held(product, hint, "the product does not exist in Stripe")
    hint = _size_hint(line, entry, session, only_one=known.sized == 1)
    if shelf.closed:
        return _Held(product, hint, "the product was deleted in Stripe")
    if hint is not None:
        return _of_hint(product, hint, shelf)
    if len(shelf.sizes) == 1:
        return _Placed(product, next(iter(shelf.sizes)))
    return _Held(product, None, "the sale does not say which size was sold")


def _of_hint(product: ProductId, hint: str, shelf: Shelf) -> _Placed | _Held:
    if shelf.sizes == PLAIN_ONLY:
        return _Placed(product, PLAIN)
    if Size(hint) in shelf.sizes:
        return _Placed(product, Size(hint))
    return _Held(product, hint, f"the product has no size {hint[:40]!r} with a number in Stripe")


def _product(line: LineItem, entry: manifest.Entry | None, catalogue: Catalogue) -> ProductId | None:
    own = line.price.product.id if line.price else None
    shelf = catalogue.get(own) if own else None
    if own and shelf and (shelf.tracked or shelf.closed):
        return own
    return entry.product if entry else None


def _without_product(line: LineItem, session: CheckoutSession, known: _Context) -> _Held | None:
    """A line of no tracked product: nothing to do for the shop's other goods, a person's for ad-hoc ones."""
    price = line.price
    size = _size_hint(line, None, session, only_one=len(session.lines) == 1)
    if price is None or price.product.deleted:
        return _Held(price.product.id if price else None, size, "the product was deleted in Stripe")
    if not could_be_kept(price.product.id):
        return _Held(price.product.id, size, "the product has an id that stocksync can't keep stock of")
    ad_hoc = not price.product.active  # a product made inline is never active
    listed_elsewhere = bool(known.matched.by_line) and known.matched.complete
    if not ad_hoc or listed_elsewhere:
        return None
    return _Held(None, size, "the line has an ad-hoc product that names no product of the catalogue")


def _size_hint(
    line: LineItem, entry: manifest.Entry | None, session: CheckoutSession, *, only_one: bool
) -> str | None:
    """The first of the ways to name a size that answers."""
    of_line = line.metadata.get("size"), line.price.metadata.get("size") if line.price else None
    of_session = (session.metadata.get("size"), _custom_size(session)) if only_one else ()
    named = (*of_line, entry.size if entry else None, *of_session)
    return next((hint for hint in map(_given, named) if hint), None)


def _given(text: str | None) -> str:
    return (text or "").strip()


def _custom_size(session: CheckoutSession) -> str | None:
    return next((f.value for f in session.custom_fields if f.key.lower() == "size"), None)
