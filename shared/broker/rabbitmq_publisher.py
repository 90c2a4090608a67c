"""One publishing connection per process: many messages in flight, each caller waits for its own.

For threads, the connection has a thread of its own; on an event loop it lives there, and nothing changes hands.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from functools import partial

from shared.broker.port import BrokerDown, Outgoing, PublishError, Unconfirmed
from shared.broker.rabbitmq_client import EventLoop
from shared.broker.rabbitmq_envelope import Envelope, fresh
from shared.broker.rabbitmq_flight import PING, Call, Flight, Returned
from shared.broker.rabbitmq_link import Link, ThreadLink
from shared.broker.rabbitmq_renewal import Renewal
from shared.broker.waiting import Deadlines, resolve

NAME = "publisher"
Place = tuple[str, str]
"""An AMQP URL and an exchange there."""


class _ThreadCall(Call):
    __slots__ = ("done", "error")

    def __init__(self, envelopes: Sequence[Envelope]) -> None:
        super().__init__(envelopes)
        self.error: PublishError | None = None
        self.done = threading.Lock()  # a bare lock wakes its waiter at a third of an Event's cost
        self.done.acquire()

    def answer(self, error: PublishError | None) -> None:
        self.error = error
        self.done.release()


class Publisher:
    """For any number of threads; made lazily, after a fork."""

    def __init__(self, url: str, renewal: Renewal) -> None:
        self.renewal = renewal
        self._scheduled = False
        self._flight = Flight(renewal)
        self._link = self._flight.link = ThreadLink(url, NAME, self._flight.hooks)
        self._link.start()

    def send(self, envelopes: Sequence[Envelope], timeout: float) -> None:
        """Return once all are confirmed; raises PublishError within `timeout` seconds."""
        if not envelopes:
            return
        call = _ThreadCall(envelopes)
        self._flight.todo.append(call)
        if not self._scheduled:  # a drain that has not begun yet will see this call
            self._scheduled = True
            self._link.run(self._drain)
        if not call.done.acquire(timeout=timeout):
            call.abandoned = True
            self._link.run(partial(self._flight.expire, call))
            raise Unconfirmed(f"no confirm within {timeout:g} s")
        if call.error is not None:
            raise call.error

    def close(self) -> None:
        """Be gone within seconds; what is in flight stays unconfirmed."""
        self._link.close()

    def _drain(self) -> None:
        self._scheduled = False
        self._flight.drain()


class _LoopCall(Call):
    __slots__ = ("future",)

    def __init__(self, envelopes: Sequence[Envelope], future: asyncio.Future[None]) -> None:
        super().__init__(envelopes)
        self.future = future

    def answer(self, error: PublishError | None) -> None:
        resolve(self.future, error)


class LoopPublisher:
    """An `AsyncPublisher`, for an event loop of which all methods are called."""

    def __init__(
        self, place: Place, renewal: Renewal, loop: asyncio.AbstractEventLoop, *, within: float
    ) -> None:
        url, self._exchange = place
        self._loop = loop
        self._within = within
        self._flight = Flight(renewal)
        self._link = self._flight.link = Link(url, NAME, self._flight.hooks, EventLoop(loop))
        self._deadlines = Deadlines(loop, within, over=_finished, expire=self._expire)
        self._link.connect()

    def publish(self, *messages: Outgoing) -> asyncio.Future[None]:
        """Done once all are confirmed; fails with PublishError in time."""
        future = self._loop.create_future()
        if not messages:
            future.set_result(None)
            return future
        call = _LoopCall([fresh(self._exchange, message) for message in messages], future)
        self._flight.todo.append(call)
        self._flight.drain()
        self._deadlines.add(call)
        return future

    async def ping(self) -> None:
        """Return if a publish could be confirmed now; raises BrokerDown."""
        try:
            await self.publish(PING)
        except Returned:
            return
        except PublishError as error:
            raise BrokerDown(str(error)) from None

    async def close(self) -> None:
        """Be gone within seconds; what is in flight stays unconfirmed."""
        left = asyncio.Event()
        self._link.leave(left.set)
        await left.wait()

    def _expire(self, call: _LoopCall) -> None:
        self._flight.expire(call)
        call.finish(Unconfirmed(f"no confirm within {self._within:g} s"))


def _finished(call: _LoopCall) -> bool:
    return call.finished
