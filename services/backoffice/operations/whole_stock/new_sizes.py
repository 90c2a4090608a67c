"""Giving products more sizes, in Stripe itself, as a person would in the Dashboard.

The stock worker adopts them from there, like any edit of a person: what it sends itself never creates a size, and
neither its marker nor a number of a size that is there is sent from here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby

from services.backoffice.operations.hints import hint
from services.backoffice.operations.stocktaking import Shop
from services.backoffice.operations.whole_stock.compare import NewSize
from shared.outcomes import Outage
from shared.stock_metadata import with_sizes
from shared.store.products import Products
from shared.stripe_api.answers import StripeFailed, WriteResult
from shared.stripe_api.client import StripeApi
from shared.stripe_api.objects import SurprisingAnswer
from shared.vocabulary import ProductId


@dataclass(frozen=True, slots=True)
class Created:
    """One size that was to be created; `why` is '' where Stripe has it now."""

    wanted: NewSize
    why: str = ""


def create(shop: Shop, stripe: StripeApi, wanted: Sequence[NewSize], batch: str) -> list[Created]:
    """Create the sizes, one write for each product, and have them adopted."""
    ordered = sorted(wanted, key=lambda one: (one.product, one.line))
    done: list[Created] = []
    for product, some in groupby(ordered, key=lambda one: one.product):
        sizes = list(some)
        why = _write(stripe, product, sizes, batch)
        done.extend(Created(size, why) for size in sizes)
    made = sorted({one.wanted.product for one in done if not one.why})
    if made:
        with suppress(Outage):  # Stripe tells of its edits, too
            shop.database.run(lambda connection: Products(connection, shop.account).look_again(made))
        hint(shop.broker, shop.account, made)
    return done


def _write(stripe: StripeApi, product: ProductId, sizes: Sequence[NewSize], batch: str) -> str:
    """Why it was not done; '' where it was."""
    try:
        found = stripe.product(product)
        if found is None or found.deleted:
            return "the product was deleted in Stripe"
        body = with_sizes(found.metadata, {one.size: one.units for one in sizes})
        answer = stripe.write_metadata(product, body, _key(batch, product, body))
    except (Outage, StripeFailed, SurprisingAnswer, ValueError) as error:
        return str(error)
    if answer.result is WriteResult.APPLIED:
        return ""
    unsure = answer.result in {WriteResult.UNKNOWN, WriteResult.STORED_ERROR, WriteResult.IN_FLIGHT}
    return f"Stripe {'may have done it, and' if unsure else 'did not take it, and'} answered: {answer.detail}"


def _key(batch: str, product: ProductId, body: dict[str, str]) -> str:
    """An idempotency key of its own, unlike that of any write of the stock worker."""
    digest = hashlib.sha256(json.dumps([product, body]).encode()).hexdigest()[:24]
    return f"stocksync-import:{batch}:{digest}"
