"""The messages of a schedule, and how a trace names them."""

from __future__ import annotations

from functools import cache
from typing import Final

from shared.messages import Message, ProductChanged, SessionPaid, SyncRequested
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import AccountKey, ProductId, SessionId
from tests.simulation.memory_tables import EPOCH

ACCOUNT: Final = AccountKey("self:test")


@cache
def paid(session: SessionId) -> SessionPaid:
    """The webhook of a paid session."""
    return SessionPaid.model_construct(account=ACCOUNT, session=session, at=EPOCH, event=None)


@cache
def sync(product: ProductId) -> SyncRequested:
    """A hint that a product is dirty."""
    return SyncRequested.model_construct(account=ACCOUNT, product=product)


def changed(update: ProductUpdate) -> ProductChanged:
    """The webhook of a change."""
    return ProductChanged.model_construct(
        account=ACCOUNT,
        product=update.product,
        event=update.event,
        change="updated",
        at=update.created,
        idempotency_key=update.idempotency_key,
        metadata=update.metadata,
        previous_metadata=update.previous_metadata,
    )


def words(message: Message) -> str:
    """The message, for a trace."""
    if isinstance(message, SessionPaid):
        return f"sale {message.session}"
    if isinstance(message, ProductChanged):
        return f"event {message.event} of {message.product} by {message.idempotency_key}"
    return f"{message.type} {getattr(message, 'product', '')}"
