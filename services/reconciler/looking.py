"""Asking the stock worker to look at products, and waiting for what it saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from services.reconciler.jobs import Tools
from shared import clock, logs
from shared.broker import runtime
from shared.database.pool import Connection
from shared.messages import Message, ProductCheckRequested, SyncRequested
from shared.outcomes import Outage
from shared.store.verifications import Verifications
from shared.verification import Look
from shared.vocabulary import ProductId

AT_ONCE: Final = 200
"""Messages that one publish waits for."""
PUBLISH_SECONDS: Final = 30.0
PATIENCE: Final = 30.0
"""Seconds for the first answer, and then PER_PRODUCT for each: other work goes on beside it."""
PER_PRODUCT: Final = 0.25
POLL: Final = 0.2

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Looking:
    """One run's looks; `check` is its own, so that late answers to another are not taken for its."""

    tools: Tools
    check: str

    def look(self, number: int, products: Sequence[ProductId]) -> dict[ProductId, Look]:
        """What look `number` saw of each of `products`; those that nobody answered for are missing."""
        if not products:
            return {}
        self._publish(
            [
                ProductCheckRequested(
                    account=self.tools.account, product=product, check=self.check, look=number
                )
                for product in products
            ]
        )
        if not self._wait(len(products), lambda books: books.answered(self.check, number) >= len(products)):
            log.warning("looks_unanswered", look=number, asked=len(products))
        return self.tools.database.run(lambda c: self._books(c).looks(self.check, number))

    def sync(self, products: Sequence[ProductId]) -> None:
        """Ask for a sync of each, and wait for a while until none waits any more."""
        if products:
            self._publish([SyncRequested(account=self.tools.account, product=p) for p in products])
            self._wait(len(products), lambda books: not books.dirty(products))

    def rest(self, answered_in: float) -> None:
        """Let pass what two looks must lie apart, and the seconds that the first was `answered_in`.

        The webhook of an edit waits in the same queue, for as long.
        """
        self._pause(self.tools.confirm_seconds + answered_in)

    def forget(self) -> None:
        """The answers were read."""
        self.tools.database.run(lambda c: self._books(c).forget_looks(self.check))

    def _publish(self, messages: Sequence[Message]) -> None:
        for start in range(0, len(messages), AT_ONCE):
            some = [runtime.outgoing(message) for message in messages[start : start + AT_ONCE]]
            self.tools.broker.publish(*some, timeout=PUBLISH_SECONDS)

    def _wait(self, products: int, reached: Callable[[Verifications], bool]) -> bool:
        deadline = clock.monotonic() + PATIENCE + PER_PRODUCT * products
        while not self.tools.database.run(lambda c: reached(self._books(c))):
            if clock.monotonic() > deadline:
                return False
            self._pause(POLL)
        return True

    def _pause(self, seconds: float) -> None:
        if self.tools.stop.wait(seconds):
            raise Outage("the process stops; the job begins again later")

    def _books(self, connection: Connection) -> Verifications:
        return Verifications(connection, self.tools.account)
