"""Raising and ending alerts inside the transaction of the fact they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.stock_worker import stock_alerts
from services.stock_worker.books import Tx
from services.stock_worker.deps import Deps
from services.stock_worker.protocol.facts import SizeState
from services.stock_worker.protocol.judge import Distrust
from services.stock_worker.protocol.plan import Base, Plan
from services.stock_worker.stock_alerts import LevelChange, effective_threshold
from shared.alerts import AlertKey, NewAlert, product_facts, unplaced_facts
from shared.stock_metadata import stock_key
from shared.stripe_api.answers import StripeRefused
from shared.stripe_api.objects import Product
from shared.vocabulary import AccountKey, AlertKind, ProductId, Size, UnplacedSale, Variant

STOCK: Final = (AlertKind.LOW_STOCK, AlertKind.OUT_OF_STOCK, AlertKind.OVERSOLD)
UNREADABLE: Final = "its number in Stripe is not a plain whole number, so it is left alone"
TRIED_AGAIN: Final = (
    "Mend what Stripe complains of, such as a product with 50 metadata fields: take some away in the Dashboard. "
    "stocksync tries again with the product's next sale or edit."
)


def after_look(tx: Tx, product: Product, base: Base, made: Plan, *, deps: Deps) -> None:
    """What a look at `product` tells people: low, out, oversold, unreadable sizes; and what is over."""
    changes = _changes(tx, product, base, made, deps=deps)
    subjects = [product.id, *(str(Variant(product.id, size)) for size in made.states)]
    opened = tx.alerts.open_alerts(subjects)
    stock = stock_alerts.decide(deps.account, changes, opened)
    unreadable = [size for size, state in made.states.items() if state is SizeState.UNREADABLE]
    readable = [str(Variant(product.id, size)) for size in made.states if size not in unreadable]
    missing = [size for size, state in made.states.items() if state is SizeState.MISSING]
    at_ease = {product.id, *readable}
    if made.write is not None:
        at_ease.discard(product.id)  # Stripe may refuse the write, as it did before
    over = [
        *(AlertKey(AlertKind.QUARANTINE, subject) for subject in sorted(at_ease)),
        *_of_stock(product.id, missing),
    ]
    ended = [*stock.resolved, *(key for key in over if (key.kind, key.subject) in opened)]
    if ended:
        tx.alerts.resolve(ended)
    news = [*stock.raised, *(_unreadable(product, size, deps) for size in unreadable)]
    if news:
        tx.alerts.raise_(news)


def closed(tx: Tx, product: ProductId, sizes: Sequence[Size]) -> None:
    """The product is gone: there is nothing to restock, or to look at, any more."""
    subjects = [product, *(str(Variant(product, size)) for size in sizes)]
    quarantines = [AlertKey(AlertKind.QUARANTINE, subject) for subject in subjects]
    tx.alerts.resolve([*quarantines, *_of_stock(product, sizes)])


def quarantined(tx: Tx, product: Product, why: Distrust, deps: Deps) -> None:
    """Tell that the product is left alone until a person takes it over."""
    told = product_facts(product.id, product.name, reason=why.reason)
    facts = {**told, "first": why.check, "command": f"stocksync takeover {product.id}"}
    tx.alerts.raise_([NewAlert(deps.account, AlertKind.QUARANTINE, product.id, facts)])


def rejected(tx: Tx, product: ProductId, name: str, *, reason: str, deps: Deps) -> None:
    """Tell that Stripe takes no number of the product. A takeover would forget the sales that wait to be written."""
    facts = {**product_facts(product, name, reason=reason), "first": TRIED_AGAIN}
    tx.alerts.raise_([NewAlert(deps.account, AlertKind.QUARANTINE, product, facts)])


def stripe_refused(account: AccountKey, refused: StripeRefused) -> NewAlert:
    """What tells once that Stripe refuses the key, or one call for want of a permission; the rest goes on."""
    facts = product_facts("", "", reason=str(refused))
    return NewAlert(account, AlertKind.STRIPE_REFUSED, f"{account} {refused.endpoint}".rstrip(), facts)


def unplaced(tx: Tx, held: Sequence[UnplacedSale], deps: Deps) -> list[int]:
    """Tell of sold lines that wait for a person; the alerts' ids."""
    return tx.alerts.raise_(
        [
            NewAlert(
                deps.account,
                AlertKind.UNPLACED_SALE,
                f"{line.session}/{line.line}",
                unplaced_facts(
                    line.session,
                    line.line,
                    quantity=line.quantity,
                    reason=line.reason,
                    product=line.product or "",
                    size=line.size_hint or "",
                ),
            )
            for line in held
        ],
    )


def _of_stock(product: ProductId, sizes: Sequence[Size]) -> list[AlertKey]:
    """What may be open about the levels of `sizes`."""
    return [AlertKey(kind, str(Variant(product, size))) for size in sizes for kind in STOCK]


def _unreadable(product: Product, size: Size, deps: Deps) -> NewAlert:
    told = product_facts(product.id, product.name, reason=UNREADABLE, size=size)
    mends = f"Type a plain number such as 12 into the metadata field {stock_key(size)}. That mends it."
    facts = {**told, "first": mends}
    return NewAlert(deps.account, AlertKind.QUARANTINE, str(Variant(product.id, size)), facts)


def _changes(tx: Tx, product: Product, base: Base, made: Plan, *, deps: Deps) -> list[LevelChange]:
    row = tx.products.lock(product.id)
    of_product = row.threshold if row else None
    rows = tx.products.variants([product.id])
    thresholds = {r.size: effective_threshold(r.threshold, of_product, deps.low_stock) for r in rows}
    return [
        LevelChange(
            Variant(product.id, size),
            product.name,
            before=base.units.get(size) if base.units is not None else None,
            after=after,
            threshold=thresholds[size],
            oversold=tuple(
                reversed(tx.movements.newest_sales(product.id, size, units=made.oversold[size]))
                if size in made.oversold
                else ()
            ),
        )
        for size, after in made.balances.items()
    ]
