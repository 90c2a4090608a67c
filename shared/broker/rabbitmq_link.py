"""One AMQP connection that comes back by itself until it is closed, on a loop it is given or a thread of its own."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pika
from pika.exceptions import ConnectionWrongStateError

from shared import logs
from shared.broker import rabbitmq_client as client
from shared.broker.rabbitmq_client import Connection, Loop

CONNECT_TIMEOUT = 4.0  # seconds for TCP, TLS and the AMQP handshake together
GIVEN_UP = 3 * CONNECT_TIMEOUT
"""Seconds after which an attempt without an end is forgotten: an error inside the client may have swallowed it."""
HEARTBEAT = 30  # seconds, unless the URL says otherwise
FIRST_BACKOFF, LONGEST_BACKOFF = 0.2, 3.0  # seconds
FAREWELL = 2.0  # seconds a broker has for its part of a close

log = logs.get(__name__)


def parameters(url: str) -> pika.URLParameters:
    """Parameters of `url` with bounded waiting; pika's own log lines, which name hosts, are muted.

    Raises ValueError, without pika's words, which repeat parts of the address and so of its password.
    """
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    try:
        chosen = pika.URLParameters(url)
    except Exception as error:  # noqa: BLE001 - ValueErrors, and whatever TLS options lead to
        raise ValueError(f"the RabbitMQ address can't be used: {type(error).__name__}") from None
    if "heartbeat=" not in url:
        chosen.heartbeat = HEARTBEAT
    chosen.socket_timeout = CONNECT_TIMEOUT / 2
    chosen.stack_timeout = CONNECT_TIMEOUT
    chosen.connection_attempts = 1
    return chosen


@dataclass(frozen=True, slots=True)
class Hooks:
    """What to do on the loop's thread when the connection is up, and when it is gone: why, AMQP's code or 0."""

    up: Callable[[Connection], None]
    down: Callable[[str, int], None]


class Link:
    """Owns the connection; everything but `run` is called on the loop's thread."""

    def __init__(self, url: str, name: str, hooks: Hooks, loop: Loop) -> None:
        self._parameters = parameters(url)
        self._name = name
        self._hooks = hooks
        self._loop = loop
        self._connection: Connection | None = None
        self._failures = 0
        self._left: Callable[[], None] | None = None

    def connect(self) -> None:
        """Begin; not before whoever the hooks belong to knows this link."""
        if self._left is not None:
            return
        try:
            self._connection = connection = self._loop.connect(self._parameters, self._opened, self._ended)
        except Exception as error:  # noqa: BLE001 - whatever it was, it must be tried again
            self._lost(type(error).__name__, 0)
        else:
            self._loop.call_later(GIVEN_UP, partial(self._overdue, connection))

    def run(self, callback: Callable[[], None]) -> None:
        """Have `callback` called on the loop's thread soon; from any thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody is left to call it
            self._loop.call_soon_threadsafe(callback)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Have `callback` called on the loop's thread after `seconds`."""
        self._loop.call_later(seconds, callback)

    def throw_away(self, reason: str, code: int = 0) -> None:
        """Drop the connection without a farewell and make a fresh one after a pause."""
        connection = self._connection
        if connection is None or not connection.is_open:  # not up yet, or already on its way to `_ended`
            return
        self._connection = None
        client.abort(connection, reason)
        self._lost(reason, code)

    def leave(self, left: Callable[[], None]) -> None:
        """Say goodbye if the broker listens; `left` is called within seconds in any case, perhaps twice."""
        self._left = left
        if self._connection is None:
            left()
            return
        self._loop.call_later(FAREWELL, left)
        with suppress(ConnectionWrongStateError):  # it is closing already
            self._connection.close()

    def proven(self) -> None:
        """The connection does what it is for: the next loss is the first in a row."""
        self._failures = 0

    def broken(self, error: Exception) -> None:
        """Start afresh after a bug here or in pika, which must not leave a process that waits for ever."""
        log.error("broker_lost", link=self._name, reason=type(error).__name__, exc_info=error)
        if not self._forget(type(error).__name__):
            self.throw_away(type(error).__name__)

    def _forget(self, reason: str) -> bool:
        """Try again where a connection neither opened nor said that it failed; whether that was so."""
        if self._connection is None or self._connection.is_open or self._left is not None:
            return False
        self._connection = None
        self._lost(reason, 0)
        return True

    def _overdue(self, connection: Connection) -> None:
        if connection is self._connection:
            self._forget("the attempt was given up")

    def _opened(self, connection: Connection) -> None:
        if connection is not self._connection:
            client.abort(connection, "it was given up before")
            return
        log.info("broker_connected", link=self._name)
        self._hooks.up(connection)

    def _ended(self, connection: Connection, error: BaseException) -> None:
        if connection is not self._connection:
            return
        self._connection = None
        if self._left is not None:
            self._left()
        else:
            self._lost(type(error).__name__, 0)

    def _lost(self, reason: str, code: int) -> None:
        self._failures += 1
        longest = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(self._failures, 10))
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - jitter needs no secrecy
        log.warning("broker_lost", link=self._name, reason=reason, code=code, pause=round(pause, 1))
        self._loop.call_later(pause, self.connect)
        self._hooks.down(reason, code)


class ThreadLink(Link):
    """A link with an I/O thread of its own."""

    def __init__(self, url: str, name: str, hooks: Hooks) -> None:
        self._own = client.OwnLoop()
        super().__init__(url, name, hooks, self._own)
        self._thread = threading.Thread(target=self._serve, name=f"amqp-{name}", daemon=True)

    def start(self) -> None:
        """Begin, on the thread."""
        self._thread.start()

    def close(self) -> None:
        """Be gone within seconds; from any thread."""
        self.run(partial(self.leave, self._own.stop))
        self._thread.join(FAREWELL + 1)

    def _serve(self) -> None:
        self.connect()
        while True:
            try:
                self._own.run()
                break
            except Exception as error:  # noqa: BLE001 - logged there
                self.broken(error)
        self._own.close()
