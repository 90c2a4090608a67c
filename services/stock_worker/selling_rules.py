"""What is taken off sale because it is gone, and what is put back: links, products and open sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from math import inf
from typing import Final

from services.stock_worker.sales import Catalogue, UnbookableSession, book
from shared.selling import Offer, Stop, StopState
from shared.stripe_api.objects import CheckoutSession, PaymentLink
from shared.vocabulary import PLAIN, AccountKey, ProductId, SessionId, Size, Variant

FRESH: Final = 3600.0
"""Seconds after something ran out in which sessions that still hold it are likely."""
NOBODY: Final = AccountKey("")
_WHENEVER: Final = datetime.fromtimestamp(0, UTC)

Stock = Mapping[ProductId, Mapping[Size, int | None]]
"""The units of every size of the products concerned; None where there is no number to go by."""


class Standing(StrEnum):
    """Whether there is something of a size, or of a product."""

    GONE = "gone"
    THERE = "there"
    UNKNOWN = "unknown"  # nobody keeps its number now: neither a reason to stop nor to resume


@dataclass(frozen=True, slots=True)
class Offered:
    """A link or product as Stripe shows it; `takes` is what is sold through it, size '' for any size of the product."""

    offer: Offer
    object: str
    active: bool
    takes: tuple[Variant, ...]


class Step(StrEnum):
    """What an open stop asks for now."""

    WAIT = "wait"
    FINISH_STOP = "finish_stop"
    FINISH_RESUME = "finish_resume"
    RESUME_BY_HAND = "resume_by_hand"
    REVIEW = "review"  # its reason is gone: is there another one?


def standing(what: Variant, stock: Stock) -> Standing:
    """How a size stands; of size '', how the product does: it is gone once all of its sizes are."""
    shelf = stock.get(what.product)
    if not shelf:
        return Standing.UNKNOWN
    if what.size == PLAIN:
        return _whole([_of(units) for units in shelf.values()])
    return _of(shelf.get(what.size))


def _of(units: int | None) -> Standing:
    if units is None:
        return Standing.UNKNOWN
    return Standing.GONE if units <= 0 else Standing.THERE


def _whole(sizes: Collection[Standing]) -> Standing:
    if Standing.THERE in sizes:
        return Standing.THERE
    return Standing.UNKNOWN if Standing.UNKNOWN in sizes else Standing.GONE


def gone(stock: Stock) -> frozenset[Variant]:
    """The sizes that have run out, and the products of which all have."""
    named = (Variant(product, size) for product, shelf in stock.items() for size in {*shelf, PLAIN})
    return frozenset(what for what in named if standing(what, stock) is Standing.GONE)


def reason(takes: Iterable[Variant], stock: Stock) -> Variant | None:
    """The first of `takes` that is gone; None where all can be had."""
    return next((what for what in takes if standing(what, stock) is Standing.GONE), None)


def takes(session: CheckoutSession, catalogue: Catalogue) -> tuple[Variant, ...]:
    """What a session takes once it is paid, placed as its sale would be; size '' where the customer still chooses."""
    try:
        booking = book(NOBODY, session, catalogue)
    except UnbookableSession:
        return ()
    placed = [Variant(movement.product, movement.size) for movement in booking.movements]
    to_choose = [
        Variant(line.product, PLAIN)
        for line in booking.unplaced
        if line.product is not None and line.size_hint is None
    ]
    return tuple(dict.fromkeys([*placed, *to_choose]))


def opened(link: PaymentLink) -> CheckoutSession:
    """The session that a customer of the link would begin with."""
    return CheckoutSession(
        id=SessionId(link.id),
        livemode=False,
        payment_status="unpaid",
        created=_WHENEVER,
        metadata=link.metadata,
        custom_fields=link.custom_fields,
        lines=link.lines,
    )


def step(stop: Stop, stock: Stock) -> Step:
    """What to do about an open stop now."""
    if not stop.due:
        return Step.WAIT
    if stop.state is StopState.PLANNED:
        return Step.FINISH_STOP
    if stop.state is StopState.RESUMING:
        return Step.FINISH_RESUME
    if stop.state is StopState.STOPPED and stop.wanted_by:
        return Step.RESUME_BY_HAND
    there = standing(stop.reason, stock) is Standing.THERE
    return Step.REVIEW if there else Step.WAIT


def key(stop: Stop, *, active: bool) -> str:
    """The idempotency key of the stop's next call."""
    return f"{prefix(stop, active=active)}{stop.attempt}"


def prefix(stop: Stop, *, active: bool) -> str:
    """How all keys of the stop's calls begin, those that took it off sale or put it back."""
    return f"{stop.key}-{'resume' if active else 'stop'}-"


@dataclass(slots=True)
class Attention:
    """When to look: at once where something ran out, then every `often` seconds, an hour later every `seldom`."""

    often: float
    seldom: float
    _seen: frozenset[Variant] = field(default_factory=frozenset[Variant])
    _looked_at: float = -inf
    _news_at: float = -inf

    def wanted(self, gone: AbstractSet[Variant], now: float) -> bool:
        """Whether it is time, with all that is `gone` at the moment `now` of the monotonic clock."""
        self._seen &= gone
        if not gone <= self._seen:
            self._news_at = now
            return True
        rest = self.often if now - self._news_at < FRESH else self.seldom
        return bool(gone) and now - self._looked_at >= rest

    def looked(self, gone: AbstractSet[Variant], now: float) -> None:
        """A look for all of `gone` has ended well."""
        self._seen, self._looked_at = frozenset(gone), now
