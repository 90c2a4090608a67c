"""Stripe in this process: metadata without compare-and-set, idempotency keys, and a network that loses and delays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final, Protocol

from shared.stripe_api.answers import WriteAnswer, WriteResult
from shared.stripe_api.objects import CheckoutSession, Product, ProductUpdate
from shared.vocabulary import EventId, ProductId, SessionId
from tests.simulation.memory_tables import EPOCH

KEYS_KEPT: Final = 24 * 3600.0  # seconds
BETWEEN_EVENTS: Final = 10  # seconds: more than a reader of the log's end reads to be sure
Body = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Chances:
    """How likely each thing is, per request."""

    lost: float = 0.05
    late: float = 0.06
    unanswered: float = 0.05
    doubled: float = 0.03
    limited: float = 0.03
    failed: float = 0.04  # 500, half of them after the effect
    in_flight: float = 0.3  # 409, while a late request with the key is on its way
    invalid: float = 0.002
    refused: float = 0.003
    unread: float = 0.04  # a GET that fails
    not_found: float = 0.002  # a GET that says there is no such product, though there is


@dataclass(slots=True)
class Shown:
    """A product as everybody sees it."""

    metadata: dict[str, str]
    deleted: bool = False
    updated: datetime = EPOCH


@dataclass(frozen=True, slots=True)
class Request:
    """A write on its way."""

    product: ProductId
    body: tuple[tuple[str, str], ...]
    key: str


class Judge(Protocol):
    """Told of every write that arrives, and of every change it makes."""

    def arrived(self, request: Request, shown: Shown) -> None:
        """A write with a fresh key is about to execute."""
        ...

    def changed(self, request: Request) -> None:
        """It changed something."""
        ...


@dataclass(slots=True)
class MemoryStripe:
    """All of Stripe that keeping stock needs; who calls decides what is lost."""

    draw: Random
    judge: Judge
    blind: Random = field(default_factory=lambda: Random(0))
    """Says when a product is not found: a draw of its own leaves everything else of a schedule as it is."""
    chances: Chances = field(default_factory=Chances)
    quiet: bool = False
    now: float = 0.0
    products: dict[ProductId, Shown] = field(default_factory=dict[ProductId, Shown])
    sessions: dict[SessionId, CheckoutSession] = field(default_factory=dict[SessionId, CheckoutSession])
    log: list[ProductUpdate] = field(default_factory=list[ProductUpdate])
    undelivered: list[ProductUpdate] = field(default_factory=list[ProductUpdate])
    late: list[Request] = field(default_factory=list[Request])
    missed: set[ProductId] = field(default_factory=set[ProductId])
    """Products that were not found once, though they were there."""
    invalid: set[ProductId] = field(default_factory=set[ProductId])
    """Products of which a write was refused for good."""
    keys: dict[str, tuple[Request, WriteAnswer, float]] = field(
        default_factory=dict[str, tuple[Request, WriteAnswer, float]]
    )

    def product(self, product: ProductId) -> Product | None:
        """GET by id."""
        shown = self.products.get(product)
        if shown is None:
            return None
        if shown.deleted:
            return Product.model_construct(id=product, name="", active=False, deleted=True, metadata={})
        return Product.model_construct(
            id=product,
            name="Shirt",
            active=True,
            deleted=False,
            metadata=dict(shown.metadata),
            updated=shown.updated,
        )

    def updates(self, product: ProductId, since: datetime) -> list[ProductUpdate]:
        """The event log of a product since a time, oldest first."""
        return [update for update in self.log if update.product == product and update.created >= since]

    def edit(self, product: ProductId, changes: Mapping[str, str | None], key: str | None = None) -> bool:
        """Merge `changes` (None unsets) and log an event; whether anything changed."""
        shown = self.products[product]
        before = {name: shown.metadata.get(name) for name in changes}
        previous = {name: old for name, old in before.items() if old != changes[name]}
        for name, value in changes.items():
            if value is None:
                shown.metadata.pop(name, None)
            else:
                shown.metadata[name] = value
        if previous:
            shown.updated = EPOCH + timedelta(seconds=int(self.now) + BETWEEN_EVENTS * len(self.log))
            update = ProductUpdate.model_construct(
                event=EventId(f"evt_{len(self.log)}"),
                product=product,
                created=shown.updated,
                idempotency_key=key,
                metadata=dict(shown.metadata),
                previous_metadata=previous,
            )
            self.log.append(update)
            self.undelivered.append(update)
        return bool(previous)

    def send(self, request: Request) -> WriteAnswer:
        """POST as its sender sees it: it may be lost, late, doubled, or executed without an answer."""
        if self.quiet:
            return self.execute(request)
        luck = self.draw.random()
        for chance, outcome in (
            (self.chances.lost, "lost"),
            (self.chances.late, "late"),
            (self.chances.unanswered, "unanswered"),
        ):
            if luck < chance:
                if outcome == "late":
                    self.late.append(request)
                elif outcome == "unanswered":
                    self.execute(request)
                return WriteAnswer(WriteResult.UNKNOWN, detail="no answer")
            luck -= chance
        answer = self.execute(request)
        if answer.result is not WriteResult.INVALID and self._happens(self.chances.doubled):
            self.late.append(request)
        return answer

    def execute(self, request: Request) -> WriteAnswer:
        """What Stripe does when the request arrives."""
        stored = self.keys.get(request.key)
        if stored is not None and self.now - stored[2] < KEYS_KEPT:
            if stored[0] == request:
                return stored[1]
            return WriteAnswer(WriteResult.KEY_MISMATCH, detail="400:idempotency_error")
        refusal = self._refusal(request)
        if refusal is not None:
            if refusal is WriteResult.INVALID:
                self.invalid.add(request.product)
            return WriteAnswer(refusal, detail=refusal.value)
        luck = 1.0 if self.quiet else self.draw.random()
        answer = WriteAnswer(WriteResult.STORED_ERROR, detail="500")
        if luck >= self.chances.failed / 2:
            shown = self.products[request.product]
            self.judge.arrived(request, shown)
            if self.edit(request.product, dict(request.body), request.key):
                self.judge.changed(request)
            if luck >= self.chances.failed:
                answer = WriteAnswer(WriteResult.APPLIED, metadata=dict(shown.metadata))
        self.keys[request.key] = (request, answer, self.now)
        return answer

    def _refusal(self, request: Request) -> WriteResult | None:
        """An answer that leaves no trace: nothing is executed or stored under the key."""
        if self.products[request.product].deleted:
            return WriteResult.GONE
        under_way = any(late.key == request.key for late in self.late)
        chances = (
            (WriteResult.IN_FLIGHT, self.chances.in_flight if under_way else 0.0),
            (WriteResult.NOT_NOW, self.chances.limited),
            (WriteResult.REFUSED, self.chances.refused),
            (WriteResult.INVALID, self.chances.invalid if request.body else 0.0),
        )
        return None if self.quiet else next((why for why, chance in chances if self._happens(chance)), None)

    def _happens(self, chance: float) -> bool:
        return self.draw.random() < chance
