"""One AMQP connection on an I/O thread of its own, that comes back by itself until it is closed."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pika
from pika.exceptions import ConnectionWrongStateError

from shared import logs
from shared.broker import rabbitmq_client as client
from shared.broker.rabbitmq_client import Connection

CONNECT_TIMEOUT = 4.0  # seconds for TCP, TLS and the AMQP handshake together
HEARTBEAT = 30  # seconds, unless the URL says otherwise
FIRST_BACKOFF, LONGEST_BACKOFF = 0.2, 3.0  # seconds
FAREWELL = 2.0  # seconds a broker has for its part of a close

log = logs.get(__name__)


def parameters(url: str) -> pika.URLParameters:
    """Parameters of `url` with bounded waiting; pika's own log lines, which name hosts, are muted."""
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    chosen = pika.URLParameters(url)
    if "heartbeat=" not in url:
        chosen.heartbeat = HEARTBEAT
    chosen.socket_timeout = CONNECT_TIMEOUT / 2
    chosen.stack_timeout = CONNECT_TIMEOUT
    chosen.connection_attempts = 1
    return chosen


@dataclass(frozen=True, slots=True)
class Hooks:
    """What to do on the I/O thread when the connection is up, and when it is gone: why, AMQP's code or 0."""

    up: Callable[[Connection], None]
    down: Callable[[str, int], None]


class Link:
    """Owns connection and thread; everything but `start`, `run` and `close` belongs to the I/O thread."""

    def __init__(self, url: str, name: str, hooks: Hooks) -> None:
        self._parameters = parameters(url)
        self._name = name
        self._hooks = hooks
        self._loop = client.new_loop()
        self._connection: Connection | None = None
        self._failures = 0
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name=f"amqp-{name}", daemon=True)

    def start(self) -> None:
        """Connect; not before whoever the hooks belong to knows this link."""
        self._thread.start()

    def run(self, callback: Callable[[], None]) -> None:
        """Have `callback` called on the I/O thread soon; from any thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody is left to call it
            self._loop.add_callback_threadsafe(callback)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Have `callback` called on the I/O thread after `seconds`."""
        self._loop.call_later(seconds, callback)

    def throw_away(self, reason: str, code: int = 0) -> None:
        """Drop the connection without a farewell and make a fresh one after a pause."""
        connection = self._connection
        if connection is None or not connection.is_open:  # not up yet, or already on its way to `_ended`
            return
        self._connection = None
        client.abort(connection, reason)
        self._lost(reason, code)

    def close(self) -> None:
        """Say goodbye if the broker listens, and be gone within seconds in any case; from any thread."""
        self.run(self._leave)
        self._thread.join(FAREWELL + 1)

    def _serve(self) -> None:
        self._connect()
        while True:
            try:
                self._loop.start()
                break
            except Exception as error:  # a bug here or in pika must not leave a process that waits for ever
                log.exception("broker_lost", link=self._name, reason=type(error).__name__)
                self.throw_away(type(error).__name__)
        self._loop.close()

    def _connect(self) -> None:
        if self._closing:
            return
        self._connection = client.connect(self._parameters, self._loop, self._opened, self._ended)

    def _opened(self, connection: Connection) -> None:
        if connection is self._connection:
            self._failures = 0
            log.info("broker_connected", link=self._name)
            self._hooks.up(connection)

    def _ended(self, connection: Connection, error: BaseException) -> None:
        if connection is not self._connection:
            return
        self._connection = None
        if self._closing:
            self._loop.stop()
        else:
            self._lost(type(error).__name__, 0)

    def _lost(self, reason: str, code: int) -> None:
        self._failures += 1
        longest = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(self._failures, 10))
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - jitter needs no secrecy
        log.warning("broker_lost", link=self._name, reason=reason, code=code, pause=round(pause, 1))
        self._loop.call_later(pause, self._connect)
        self._hooks.down(reason, code)

    def _leave(self) -> None:
        self._closing = True
        if self._connection is None:
            self._loop.stop()
            return
        self._loop.call_later(FAREWELL, self._loop.stop)
        with suppress(ConnectionWrongStateError):  # it is closing already
            self._connection.close()
