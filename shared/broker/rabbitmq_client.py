"""The part of pika's asynchronous client that is used here, with types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import pika
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.adapters.select_connection import IOLoop
from pika.connection import Connection as PikaConnection
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker
from pika.spec import Basic, BasicProperties

OnMessage = Callable[["Channel", Basic.Deliver, BasicProperties, bytes], None]
OnGet = Callable[["Channel", Basic.GetOk, BasicProperties, bytes], None]
OnReturn = Callable[["Channel", Basic.Return, BasicProperties, bytes], None]
OnEnd = Callable[["Connection", BaseException], None]


class Loop(Protocol):
    """Where a connection's I/O happens; only `call_soon_threadsafe` may be called from other threads."""

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> object: ...
    def call_later(self, delay: float, callback: Callable[[], None]) -> object: ...
    def connect(
        self, parameters: pika.URLParameters, opened: Callable[[Connection], None], ended: OnEnd
    ) -> Connection:
        """A connection being made: `opened` once it is up, `ended` when that failed or it is over."""
        ...


class Confirm(Protocol):
    """The frame of a publisher confirm; anything but Basic.Ack is a refusal."""

    @property
    def method(self) -> Basic.Ack | Basic.Nack: ...


class Channel(Protocol):
    """An AMQP channel; all calls on its I/O thread."""

    @property
    def is_open(self) -> bool: ...
    def add_on_close_callback(self, callback: Callable[[Channel, Exception], None]) -> None: ...
    def add_on_return_callback(self, callback: OnReturn) -> None: ...
    def add_on_cancel_callback(self, callback: Callable[[object], None]) -> None: ...
    def add_callback(
        self, callback: Callable[[object], None], replies: list[type], one_shot: bool
    ) -> None: ...
    def confirm_delivery(
        self, ack_nack_callback: Callable[[Confirm], None], callback: Callable[[object], None]
    ) -> None: ...
    def basic_publish(  # noqa: PLR0917 - pika's signature
        self, exchange: str, routing_key: str, body: bytes, properties: BasicProperties, mandatory: bool
    ) -> None: ...
    def basic_get(self, queue: str, callback: OnGet) -> None: ...
    def basic_qos(self, *, prefetch_count: int) -> None: ...
    def basic_consume(self, queue: str, on_message_callback: OnMessage) -> str: ...
    def basic_cancel(self, consumer_tag: str, callback: Callable[[object], None] | None = None) -> None: ...
    def basic_ack(self, delivery_tag: int) -> None: ...
    def basic_nack(self, delivery_tag: int, *, requeue: bool) -> None: ...


class Connection(Protocol):
    """An AMQP connection; all calls on its I/O thread."""

    @property
    def is_open(self) -> bool: ...
    def add_on_connection_blocked_callback(self, callback: Callable[[object, object], None]) -> None: ...
    def add_on_connection_unblocked_callback(self, callback: Callable[[object, object], None]) -> None: ...
    def channel(self, *, on_open_callback: Callable[[Channel], None]) -> object: ...
    def close(self) -> None: ...


class _WholeMessages(PikaConnection):
    """Hands a message to the socket in one piece; pika makes three packets of its three frames."""

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        untyped: Any = self
        whole = b"".join(marshaled_frames)
        untyped.bytes_sent += len(whole)
        untyped.frames_sent += len(marshaled_frames)
        untyped._adapter_emit_data(whole)  # noqa: SLF001 - what it overrides does the same


class _SelectConnection(_WholeMessages, pika.SelectConnection): ...


class _AsyncioConnection(_WholeMessages, AsyncioConnection): ...


class OwnLoop:
    """A loop of pika's, for a thread that does nothing else."""

    def __init__(self) -> None:
        self._loop: Any = IOLoop()

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
        """Have `callback` called on the loop's thread."""
        self._loop.add_callback_threadsafe(callback)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        """Have `callback` called after `delay` seconds."""
        self._loop.call_later(delay, callback)

    def connect(
        self, parameters: pika.URLParameters, opened: Callable[[Connection], None], ended: OnEnd
    ) -> Connection:
        """A connection being made on this loop."""
        return _connect(_SelectConnection, self._loop, parameters, opened, ended)

    def run(self) -> None:
        """Serve until `stop`."""
        self._loop.start()

    def stop(self) -> None:
        """Have `run` return."""
        self._loop.stop()

    def close(self) -> None:
        """Let go of everything, once `run` has returned."""
        self._loop.close()


class EventLoop:
    """Somebody else's asyncio loop, which this only joins."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.call_soon_threadsafe = loop.call_soon_threadsafe
        self.call_later = loop.call_later

    def connect(
        self, parameters: pika.URLParameters, opened: Callable[[Connection], None], ended: OnEnd
    ) -> Connection:
        """A connection being made on this loop."""
        return _connect(_AsyncioConnection, self._loop, parameters, opened, ended)


def _connect(  # noqa: PLR0917 - pika's callbacks, handed through
    kind: type[_SelectConnection | _AsyncioConnection],
    loop: object,
    parameters: pika.URLParameters,
    opened: Callable[[Connection], None],
    ended: OnEnd,
) -> Connection:
    untyped: Any = kind
    connection = untyped(
        parameters,
        on_open_callback=opened,
        on_open_error_callback=ended,
        on_close_callback=ended,
        custom_ioloop=loop,
    )
    return cast("Connection", connection)


def why(error: BaseException) -> tuple[str, int]:
    """What a log should say about the end of a channel, and AMQP's code, 0 where the broker gave none."""
    if isinstance(error, ChannelClosedByBroker):
        return f"{type(error).__name__}: {error.reply_text}", int(error.reply_code)
    return type(error).__name__, 0


def cancel(channel: Channel, consumer_tag: str, cancelled: Callable[[object], None]) -> None:
    """End a consumer, but keep what is on its way: pika would give it back, and RabbitMQ counts that as a delivery."""
    channel.basic_cancel(consumer_tag, callback=cancelled)
    untyped: Any = channel
    untyped._cancelled.discard(consumer_tag)  # noqa: SLF001 - there is no public way to go on receiving


def abort(connection: Connection, reason: str) -> None:
    """Drop an open connection without a farewell, as pika does when heartbeats stay away."""
    untyped: Any = connection
    untyped._terminate_stream(AMQPConnectionError(reason))  # noqa: SLF001 - close() waits for the broker's answer
