"""One publishing connection per process: many messages in flight, each caller waits for its own."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Sequence
from functools import partial

from pika.spec import Basic, BasicProperties

from shared.broker.port import PublishError, Refused, Unconfirmed, Unroutable
from shared.broker.rabbitmq_client import Channel, Confirm, Connection
from shared.broker.rabbitmq_envelope import Envelope
from shared.broker.rabbitmq_link import Hooks, Link

NOT_FOUND = 404


class _Call:
    """One caller's messages: finished when all are confirmed or one failed."""

    __slots__ = ("abandoned", "channel", "done", "envelopes", "error", "finished", "outstanding")

    def __init__(self, envelopes: Sequence[Envelope]) -> None:
        self.envelopes = envelopes
        self.outstanding = len(envelopes)
        self.error: PublishError | None = None
        self.finished = self.abandoned = False
        self.channel: Channel | None = None
        self.done = threading.Lock()  # a bare lock wakes its waiter at a third of an Event's cost
        self.done.acquire()

    def confirmed(self) -> None:
        self.outstanding -= 1
        if not self.outstanding:
            self.finish(None)

    def finish(self, error: PublishError | None) -> None:
        if not self.finished:
            self.finished, self.error = True, error
            self.done.release()


class Publisher:
    """Thread-safe; made lazily, after a fork. State below the first method belongs to the I/O thread."""

    def __init__(self, url: str) -> None:
        self._todo: deque[_Call] = deque()
        self._scheduled = False
        self._channel: Channel | None = None
        self._blocked = False
        self._last_tag = 0
        self._lowest = 1
        self._in_flight: dict[int, tuple[_Call, Envelope]] = {}
        self._returned: Counter[tuple[str, str]] = Counter()
        self._link = Link(url, "publisher", Hooks(up=self._up, down=self._down))
        self._link.start()

    def send(self, envelopes: Sequence[Envelope], timeout: float) -> None:
        """Return once all are confirmed; raises PublishError within `timeout` seconds."""
        if not envelopes:
            return
        call = _Call(envelopes)
        self._todo.append(call)
        if not self._scheduled:  # a drain that has not begun yet will see this call
            self._scheduled = True
            self._link.run(self._drain)
        if not call.done.acquire(timeout=timeout):
            call.abandoned = True
            self._link.run(partial(self._expire, call))
            raise Unconfirmed(f"no confirm within {timeout:g} s")
        if call.error is not None:
            raise call.error

    def close(self) -> None:
        """Be gone within seconds; what is in flight stays unconfirmed."""
        self._link.close()

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
        self._drain()

    def _channel_closed(self, channel: Channel, error: Exception) -> None:
        if channel is self._channel:
            self._link.throw_away(type(error).__name__, getattr(error, "reply_code", 0))

    def _down(self, reason: str, code: int) -> None:
        self._channel, self._blocked = None, False
        lost, self._in_flight = self._in_flight, {}
        self._returned.clear()
        kind = Unroutable if code == NOT_FOUND else Unconfirmed
        for call, _ in lost.values():
            call.finish(kind(f"the connection was lost: {reason}"))

    def _drain(self) -> None:
        self._scheduled = False
        while self._todo and (self._channel is not None or self._blocked):
            call = self._todo.popleft()
            if self._blocked:
                call.finish(Refused("the broker is in alarm and takes no messages"))
            elif not call.abandoned and self._channel is not None:
                self._put(self._channel, call)

    def _put(self, channel: Channel, call: _Call) -> None:
        call.channel = channel
        try:
            for envelope in call.envelopes:
                self._last_tag += 1
                self._in_flight[self._last_tag] = (call, envelope)
                exchange, key, body, properties = envelope
                channel.basic_publish(exchange, key, body, properties, mandatory=True)
        except Exception as error:  # noqa: BLE001 - whatever it was, the tags can no longer be trusted
            self._link.throw_away(type(error).__name__)

    def _expire(self, call: _Call) -> None:
        # A confirm that comes after its caller left could be taken for another message's.
        if not call.finished and call.channel is not None and call.channel is self._channel:
            self._link.throw_away("a confirm is overdue")

    def _on_return(self, _: Channel, method: Basic.Return, properties: BasicProperties, __: bytes) -> None:
        self._returned[(properties.message_id or "", str(method.routing_key))] += 1

    def _on_confirm(self, frame: Confirm) -> None:
        method = frame.method
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
            call.finish(Unroutable(f"no queue takes {envelope.key}"))
        elif accepted:
            call.confirmed()
        else:
            call.finish(Refused(f"the queue behind {envelope.key} is full"))

    def _on_blocked(self, *_: object) -> None:
        self._blocked = True
        for call, _envelope in self._in_flight.values():
            call.finish(Refused("the broker is in alarm and takes no messages"))
        self._drain()

    def _on_unblocked(self, *_: object) -> None:
        self._blocked = False
        self._drain()
