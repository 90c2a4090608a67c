"""Messages in flight on one channel: which confirm belongs to which caller. All of it on one loop's thread."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Sequence

from pika.spec import Basic, BasicProperties

from shared.broker.port import Outgoing, PublishError, Refused, Unconfirmed, Unroutable
from shared.broker.rabbitmq_client import Channel, Confirm, Connection, why
from shared.broker.rabbitmq_envelope import Envelope
from shared.broker.rabbitmq_link import Hooks, Link
from shared.broker.rabbitmq_renewal import Renewal
from shared.broker.rabbitmq_topology import NOT_FOUND

PING = Outgoing("ping", b"", "ping")
"""No queue takes it: coming back proves the way there and the way back."""


class Returned(Unroutable):
    """The exchange stands, and nothing behind it takes the message."""


class Call(ABC):
    """One caller's messages: finished when all are confirmed or one failed."""

    __slots__ = ("abandoned", "channel", "envelopes", "finished", "outstanding")

    def __init__(self, envelopes: Sequence[Envelope]) -> None:
        self.envelopes = envelopes
        self.outstanding = len(envelopes)
        self.finished = self.abandoned = False
        self.channel: Channel | None = None

    @abstractmethod
    def answer(self, error: PublishError | None) -> None:
        """Tell the caller; called once."""

    def confirmed(self) -> None:
        """One of the messages is safe."""
        self.outstanding -= 1
        if not self.outstanding:
            self.finish(None)

    def finish(self, error: PublishError | None) -> None:
        """Whatever comes first counts."""
        if not self.finished:
            self.finished = True
            self.answer(error)


class Flight:
    """Takes calls in `todo` when it is told to `drain`, publishes them, and answers each."""

    link: Link
    """Set before it connects; made with our `hooks`."""

    def __init__(self, renewal: Renewal) -> None:
        self._renewal = renewal
        self.todo: deque[Call] = deque()
        self._channel: Channel | None = None
        self._blocked = False
        self._last_tag = 0
        self._lowest = 1
        self._in_flight: dict[int, tuple[Call, Envelope]] = {}
        self._returned: Counter[tuple[str, str]] = Counter()
        self.hooks = Hooks(up=self._up, down=self._down)

    def _up(self, connection: Connection) -> None:
        connection.add_on_connection_blocked_callback(self._on_blocked)
        connection.add_on_connection_unblocked_callback(self._on_unblocked)
        connection.channel(on_open_callback=self._opened)

    def _opened(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._ready(channel))

    def _ready(self, channel: Channel) -> None:
        self._last_tag, self._lowest = 0, 1
        self._channel = channel
        self.link.proven()
        self.drain()

    def _channel_closed(self, channel: Channel, error: Exception) -> None:
        if channel is self._channel:
            reason, code = why(error)
            if code == NOT_FOUND:
                self._renewal.begin()
            self.link.throw_away(reason, code)

    def _down(self, reason: str, code: int) -> None:
        self._channel, self._blocked = None, False
        lost, self._in_flight = self._in_flight, {}
        self._returned.clear()
        kind = Unroutable if code == NOT_FOUND else Unconfirmed
        for call, _ in lost.values():
            call.finish(kind(f"the connection was lost: {reason}"))

    def drain(self) -> None:
        """Publish what waits, as far as the connection is up."""
        while self.todo and (self._channel is not None or self._blocked):
            call = self.todo.popleft()
            if self._blocked:
                call.finish(Refused("the broker is in alarm and takes no messages"))
            elif not call.abandoned and self._channel is not None:
                self._put(self._channel, call)

    def _put(self, channel: Channel, call: Call) -> None:
        call.channel = channel
        try:
            for envelope in call.envelopes:
                self._last_tag += 1
                self._in_flight[self._last_tag] = (call, envelope)
                exchange, key, body, properties, mandatory = envelope
                channel.basic_publish(exchange, key, body, properties, mandatory=mandatory)
        except Exception as error:  # noqa: BLE001 - whatever it was, the tags can no longer be trusted
            self.link.throw_away(type(error).__name__)

    def expire(self, call: Call) -> None:
        """The caller of `call` has left."""
        call.abandoned = True
        # Callers leave about in the order they came, and `todo` must not grow while the broker is away.
        while self.todo and self.todo[0].abandoned:
            self.todo.popleft()
        # A confirm that comes after its caller left could be taken for another message's.
        if not call.finished and call.channel is not None and call.channel is self._channel:
            self.link.throw_away("a confirm is overdue")

    def _on_return(self, _: Channel, method: Basic.Return, properties: BasicProperties, __: bytes) -> None:
        self._returned[(properties.message_id or "", str(method.routing_key))] += 1

    def _on_confirm(self, frame: Confirm) -> None:
        try:
            self._confirm(frame.method)
        except Exception as error:  # noqa: BLE001 - logged there
            self.link.broken(error)

    def _confirm(self, method: Basic.Ack | Basic.Nack) -> None:
        accepted = isinstance(method, Basic.Ack)
        tag = int(method.delivery_tag)
        if method.multiple:
            for one in range(self._lowest, tag + 1):
                self._settle(one, accepted=accepted)
            self._lowest = tag + 1
        else:
            self._settle(tag, accepted=accepted)

    def _settle(self, tag: int, *, accepted: bool) -> None:
        call, envelope = self._in_flight.pop(tag, (None, None))
        if call is None or envelope is None:
            return
        if self._returned and self._returned[envelope.identity] > 0:
            self._returned[envelope.identity] -= 1
            self._returned += Counter()  # drops what fell to zero
            if envelope.key != PING.route:
                self._renewal.begin()
            call.finish(Returned(f"no queue takes {envelope.key}"))
        elif accepted:
            call.confirmed()
        else:
            call.finish(Refused(f"the queue behind {envelope.key} is full"))

    def _on_blocked(self, *_: object) -> None:
        self._blocked = True
        for call, _envelope in self._in_flight.values():
            call.finish(Refused("the broker is in alarm and takes no messages"))
        self.drain()

    def _on_unblocked(self, *_: object) -> None:
        self._blocked = False
        self.drain()
