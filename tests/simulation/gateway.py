"""A worker's way to Stripe, with a point of I/O before and after each call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.stripe_api.answers import StripeUnavailable, WriteAnswer
from shared.stripe_api.objects import Product, ProductUpdate
from shared.stripe_api.sessions import SessionAnswer
from shared.vocabulary import ProductId, SessionId
from shared.writes import WriteState
from tests.simulation.memory_stripe import Request

if TYPE_CHECKING:
    from tests.simulation.crew import Crew


@dataclass(frozen=True, slots=True)
class Gateway:
    """One worker's way to Stripe."""

    crew: Crew

    def product(self, product: ProductId) -> Product | None:
        """GET by id."""
        self._go("GET")
        found = None if self._misses(product) else self.crew.stripe.product(product)
        if self.crew.told is not None:
            self.crew.tell(f"    GET {product}: {found.metadata if found else None}")
        return found

    def product_updates(self, product: ProductId, since: datetime) -> Iterable[ProductUpdate]:
        """The event log."""
        self._go("GET events")
        return self.crew.stripe.updates(product, since)

    def checkout_sessions(self, wanted: Mapping[SessionId, datetime]) -> dict[SessionId, SessionAnswer]:
        """Sessions, which nothing happens to."""
        self._go("GET sessions")
        return {session: self.crew.stripe.sessions[session] for session in wanted}

    def write_metadata(self, product: ProductId, body: Mapping[str, str], key: str) -> WriteAnswer:
        """POST."""
        self.crew.reach("POST", None)
        answer = self.crew.stripe.send(Request(product, tuple(body.items()), key))
        if self.crew.told is not None:
            self.crew.tell(f"    POST {key} {dict(body)}: {answer.result}")
        self.crew.reach("POSTed", None)
        return answer

    def _misses(self, product: ProductId) -> bool:
        """Whether Stripe says that there is no such product; what it does with writes meanwhile is another matter."""
        crew = self.crew
        if crew.calm or crew.stripe.blind.random() >= crew.stripe.chances.not_found:
            return False
        under_way = [request.product for request in crew.stripe.late]
        under_way += [
            key[0] for key, row in crew.books.tables.writes.items() if row.state is WriteState.PENDING
        ]
        if product in under_way:
            return False
        crew.stripe.missed.add(product)
        return True

    def _go(self, point: str) -> None:
        self.crew.reach(point, None)
        if not self.crew.calm and self.crew.draw.random() < self.crew.stripe.chances.unread:
            raise StripeUnavailable("no answer")
