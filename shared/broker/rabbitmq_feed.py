"""How one queue's messages reach its workers: freely, or one alone where a message came back unanswered.

A message whose handler kills the process comes back, and so does everything that was prefetched beside it,
each with its delivery count raised. So after a connect messages are fetched one by one until one is new (what
came back is first in a quorum queue); only then the feed opens. One that comes back later is alone too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from queue import SimpleQueue

from pika.spec import Basic, BasicProperties

from shared.broker import rabbitmq_client as client
from shared.broker import rabbitmq_envelope as envelopes
from shared.broker.port import Delivery, Subscription
from shared.broker.rabbitmq_client import Channel, Connection


@dataclass(frozen=True, slots=True)
class Item:
    """One message in hand; `returns` is how often it came back to its queue without an answer."""

    channel: Channel
    tag: int
    delivery: Delivery
    returns: int


class _Phase(Enum):
    DOWN = auto()
    PROBING = auto()  # one message at a time
    OPEN = auto()  # as many as the prefetch allows
    ISOLATING = auto()  # takes no new ones until those that came back are answered, one by one
    CLOSED = auto()


class Feed:
    """One subscription on its own channel. Belongs to the I/O thread, but for `inbox` and `current`."""

    def __init__(self, subscription: Subscription, queue: str, trouble: Callable[[str, int], None]) -> None:
        self.subscription = subscription
        self.inbox: SimpleQueue[Item | None] = SimpleQueue()
        self._queue = queue
        self._trouble = trouble
        self._channel: Channel | None = None
        self._phase = _Phase.DOWN
        self._in_hand = 0
        self._suspects: list[Item] = []
        self._opened: Callable[[], None] = _nothing
        self._consumer = ""
        self._cancelling = False

    def open(self, connection: Connection, opened: Callable[[], None]) -> None:
        """Begin on a new connection; `opened` is called once messages flow freely."""
        if self._phase is not _Phase.CLOSED:
            self._opened = opened
            connection.channel(on_open_callback=self._begin)

    def lost(self) -> None:
        """Forget the connection; what is in hand comes back by itself."""
        self._channel, self._in_hand, self._cancelling = None, 0, False
        self._suspects.clear()
        if self._phase is not _Phase.CLOSED:
            self._phase = _Phase.DOWN

    def close(self) -> None:
        """Take no more messages."""
        if self._channel is not None and self._channel.is_open and self._phase is _Phase.OPEN:
            self._channel.basic_cancel(self._consumer)
        self._phase = _Phase.CLOSED

    def current(self, item: Item) -> bool:
        """Whether the broker still waits for an answer to `item`."""
        return item.channel is self._channel

    def settle(self, acked: Sequence[Item], returned: Sequence[Item]) -> None:
        """Answer for what was in hand; tags of an older connection are dropped."""
        for item in filter(self.current, acked):
            item.channel.basic_ack(item.tag)
            self._in_hand -= 1
        for item in filter(self.current, returned):
            item.channel.basic_nack(item.tag, requeue=True)
            self._in_hand -= 1
        self._next()

    def _begin(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(lambda _, error: self._trouble(*client.why(error)))
        channel.add_on_cancel_callback(lambda _: self._trouble("the broker cancelled the consumer", 0))
        channel.add_callback(lambda _: self._flow(), [Basic.GetEmpty], one_shot=False)
        self._probe()

    def _probe(self) -> None:
        if self._channel is not None and self._phase is not _Phase.CLOSED:
            self._phase = _Phase.PROBING
            self._channel.basic_get(self._queue, self._probed)

    def _probed(
        self, channel: Channel, method: Basic.GetOk, properties: BasicProperties, body: bytes
    ) -> None:
        item = self._item(channel, method, properties, body)
        self._hand_out(item)
        if not item.returns:
            self._flow()

    def _flow(self) -> None:
        if self._channel is not None and self._phase is _Phase.PROBING:
            self._phase = _Phase.OPEN
            self._channel.basic_qos(prefetch_count=self.subscription.batch * self.subscription.workers)
            self._consumer = self._channel.basic_consume(self._queue, self._on_message)
            self._opened()

    def _on_message(
        self, channel: Channel, method: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        item = self._item(channel, method, properties, body)
        if not item.returns:
            self._hand_out(item)
            return
        self._suspects.append(item)
        if self._phase is _Phase.OPEN:
            self._phase = _Phase.ISOLATING
            self._cancelling = True
            client.cancel(channel, self._consumer, self._cancelled)

    def _cancelled(self, _: object) -> None:
        self._cancelling = False
        self._next()

    def _next(self) -> None:
        if self._in_hand or self._cancelling or self._phase not in {_Phase.PROBING, _Phase.ISOLATING}:
            return
        if self._suspects:
            # In random order: where one of them kills the process, most of the others are answered before.
            self._hand_out(self._suspects.pop(random.randrange(len(self._suspects))))  # noqa: S311 - no secret
        else:
            self._probe()

    def _hand_out(self, item: Item) -> None:
        self._in_hand += 1
        self.inbox.put(item)

    def _item(
        self, channel: Channel, method: Basic.GetOk | Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> Item:
        returns = envelopes.returns_so_far(properties, redelivered=bool(method.redelivered))
        delivery = envelopes.delivery(self.subscription.queue, body, properties)
        return Item(channel, int(method.delivery_tag or 0), delivery, returns)


def _nothing() -> None:
    """Nobody waits for this feed to open."""
