"""Telling the stock worker what was missed, never faster than it works: the queue stays short, however much it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from threading import Event
from typing import Final

from shared import clock
from shared.broker import runtime
from shared.broker.port import Broker
from shared.outcomes import Outage
from shared.recovery.plan import Missed
from shared.recovery.search import Places, Stopped
from shared.refusal import Refused
from shared.store.told_sales import ToldSales
from shared.topology import PIPELINE, SALES

AHEAD: Final = 2_000
"""Messages of one queue that wait unread; more are published once it is shorter."""
AT_ONCE: Final = 100
"""Messages that one publish waits for."""
CONFIRM_SECONDS: Final = 30.0
LOOK: Final = 0.5
"""Seconds between two looks at a queue that is too long."""
PATIENCE: Final = 300.0
"""Seconds without the queue getting shorter after which nobody seems to work it off."""


class Crowded(Refused):
    """A queue is not worked off; the text is for people."""


@dataclass(frozen=True, slots=True)
class Feed:
    """The way to the stock worker."""

    broker: Broker
    stop: Event
    ahead: int = AHEAD
    patience: float = PATIENCE

    def tell(self, missed: Sequence[Missed]) -> None:
        """Publish the messages, confirmed; raises Crowded, or an Outage where some may be missing."""
        for start in range(0, len(missed), AT_ONCE):
            messages = [one.message for one in missed[start : start + AT_ONCE]]
            for queue in sorted({_queue(message.type) for message in messages}):
                if not self._shorter_than(self.ahead, queue):
                    raise Crowded(
                        f"{self.ahead:,} messages wait in the queue of {queue}, and nobody works them off"
                    )
            self.broker.publish(*(runtime.outgoing(message) for message in messages), timeout=CONFIRM_SECONDS)

    def worked_off(self) -> bool:
        """Wait until no sale waits; False where the queue got no shorter for too long. Raises an Outage."""
        return self._shorter_than(1, SALES)

    def _shorter_than(self, most: int, queue: str) -> bool:
        shortest, since = inf, clock.monotonic()
        while (length := self.broker.depth(queue).ready) >= most:
            if length < shortest:
                shortest, since = length, clock.monotonic()
            elif clock.monotonic() - since > self.patience:
                return False
            if self.stop.wait(LOOK):
                raise Stopped("the process stops")
        return True


def hand_on(feed: Feed, missed: Sequence[Missed], places: Places) -> None:
    """Publish the messages, and note which sales they tell of, so that no look soon tells of them again; raises so."""
    feed.tell(missed)
    sales = [one.sale for one in missed if one.sale]
    if sales:
        places.database.run(lambda connection: ToldSales(connection, places.account).note(sales))


def _queue(route: str) -> str:
    found = PIPELINE.queue_for(route)
    if found is None:
        raise Outage(f"no queue takes {route}")
    return found.name
