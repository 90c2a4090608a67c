"""The words of taking off sale what is gone: what is offered, and how a stop and an expired session stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.vocabulary import ProductId, SessionId, Size, Variant


class Offer(StrEnum):
    """What is deactivated in Stripe."""

    LINK = "link"
    PRODUCT = "product"


class StopState(StrEnum):
    """How far a stop is; the calls to Stripe are made in PLANNED and RESUMING."""

    PLANNED = "planned"
    STOPPED = "stopped"
    RESUMING = "resuming"
    RESUMED = "resumed"
    LEFT = "left"  # somebody else decided, and that stands
    FORGOTTEN = "forgotten"  # it was deleted in Stripe


class ExpiryState(StrEnum):
    """What became of a session that was to expire."""

    PLANNED = "planned"
    EXPIRED = "expired"
    OVER = "over"  # it was paid, or had expired, before we came


@dataclass(frozen=True, slots=True)
class Stop:
    """One object taken off sale because `size` of `product` is gone, '' for all sizes that it has.

    While it has no `ended_at`, the object is not stopped anew. `due` says whether its next try may be made now.
    """

    id: int
    offer: Offer
    object: str
    product: ProductId
    size: Size
    state: StopState
    why: str
    wanted_by: str
    key: str
    attempt: int
    planned_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    due: bool

    @property
    def reason(self) -> Variant:
        """What is gone."""
        return Variant(self.product, self.size)


@dataclass(frozen=True, slots=True)
class Expiry:
    """A session that was expired, or was to be, because `size` of `product` is gone."""

    session: SessionId
    product: ProductId
    size: Size
    state: ExpiryState
    planned_at: datetime
    ended_at: datetime | None
