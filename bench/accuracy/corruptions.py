"""Everything that can go wrong with a product and that nobody is told of, done from outside; and what must be found."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from bench.accuracy.verdict import Corruption
from bench.sync.shop import Form, Shop
from shared.database.pool import Database
from shared.findings import Cause
from shared.stock_metadata import MARKER_KEY
from shared.vocabulary import ProductId, Size, Variant

SOLD: Final = 2  # between loading and saving an old form


@dataclass(frozen=True, slots=True)
class Scene:
    """A shop at rest and its keeper's database; `sound` stays so, and `forms` have become old."""

    shop: Shop
    database: Database
    sound: ProductId
    forms: Mapping[ProductId, Form]

    def execute(self, statement: str, product: ProductId) -> None:
        """Somebody is in the database by hand."""
        with self.database.transaction() as connection:
            connection.execute(statement.encode(), {"product": product})


Corrupt = Callable[[Scene, ProductId], ProductId | None]
"""Spoils the product; answers with another one where that is what was spoiled."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to spoil a product, the cause it must be found with, and how the finding stands after the run."""

    corrupt: Corrupt
    cause: Cause
    state: str


def _typed(**absolute: str) -> Corrupt:
    return lambda scene, product: scene.shop.type(product, **absolute)


def _by_hand(statement: str) -> Corrupt:
    return lambda scene, product: scene.execute(statement, product)


def _copied(scene: Scene, product: ProductId) -> None:
    scene.shop.type(product, **{MARKER_KEY: scene.shop.load(scene.sound).metadata[MARKER_KEY]})


_LOST_WRITE: Final = """
    insert into movement (account, product_id, size, delta, kind, source_key, actor)
    values ('self:test', %(product)s, 'S', -4, 'adjustment', 'by hand ' || %(product)s, 'eve')
"""
_STUCK_WRITE: Final = """
    update write set state = 'PENDING', planned_at = now() - interval '1 hour'
    where product_id = %(product)s and rev = (select max(rev) from write where product_id = %(product)s)
"""
_ALTERED: Final = "update variant set on_hand = on_hand + 3 where product_id = %(product)s and size = 'S'"

OLD_FORM: Final = "an old form"
KINDS: Final[Mapping[str, Kind]] = {
    "a number": Kind(_typed(stock_S="77"), Cause.EDITED, "resolved"),
    "a size more": Kind(_typed(sizes="S,M,L,XL", stock_XL="9"), Cause.EDITED, "resolved"),
    "a size less": Kind(_typed(sizes="S,M", stock_L=""), Cause.SIZE_REMOVED, "open"),
    "a word": Kind(_typed(stock_S="3 pcs"), Cause.NOT_A_NUMBER, "open"),
    "no marker": Kind(_typed(stock_rev=""), Cause.MARKER_MISSING, "resolved"),
    "another marker": Kind(_typed(stock_rev="mine"), Cause.MARKER_CHANGED, "open"),
    "a copied marker": Kind(_copied, Cause.MARKER_CHANGED, "open"),
    "a foreign marker": Kind(_typed(stock_rev="1:elsewhere:3:00000000"), Cause.MARKER_FOREIGN, "open"),
    OLD_FORM: Kind(lambda scene, product: scene.shop.save(scene.forms[product]), Cause.OLD_FORM, "resolved"),
    "no product": Kind(lambda scene, product: scene.shop.delete(product), Cause.PRODUCT_DELETED, "resolved"),
    "a new product": Kind(lambda scene, _: scene.shop.create("New"), Cause.NEVER_SEEN, "resolved"),
    "a lost write": Kind(_by_hand(_LOST_WRITE), Cause.WRITE_LOST, "resolved"),
    "a stuck write": Kind(_by_hand(_STUCK_WRITE), Cause.WRITE_LOST, "resolved"),
    "a ledger by hand": Kind(_by_hand(_ALTERED), Cause.LEDGER_ALTERED, "open"),
}


def inject(shop: Shop, database: Database, count: int, random: Random) -> dict[ProductId, Corruption]:
    """Spoil so many products, the kinds in turn, each in a product of its own; what was done to which.

    Leaves at least one product sound. Nobody hears of any of it.
    """
    sound, *victims = random.sample(shop.products, count + 1)
    kinds = dict(zip(victims, itertools.cycle(KINDS), strict=False))
    forms = _outdated(shop, [product for product, kind in kinds.items() if kind == OLD_FORM])
    scene = Scene(shop, database, sound, forms)
    spoiled: dict[ProductId, Corruption] = {}
    with shop.webhooks_of_products("webhook_drop"):
        for product, name in kinds.items():
            kind = KINDS[name]
            about = kind.corrupt(scene, product) or product
            spoiled[about] = Corruption(name, kind.cause, kind.state)
    return spoiled


def _outdated(shop: Shop, products: Sequence[ProductId]) -> dict[ProductId, Form]:
    """Forms of products that were sold, and written, since they were loaded."""
    forms = {product: shop.load(product) for product in products}
    for product in products:
        shop.sell(Variant(product, Size("M")), SOLD)
    shop.rest(60 + len(products))
    return forms
