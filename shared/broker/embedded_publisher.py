"""Publishing into the database: callers that meet share one transaction, each waiting for its commit."""

from __future__ import annotations

import threading
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Sequence
from contextlib import suppress

from shared.broker.embedded_batches import Batches, Call
from shared.broker.embedded_store import Names
from shared.broker.port import Outgoing, PublishError, Unconfirmed, Unroutable
from shared.broker.waiting import Deadlines, resolve
from shared.database.pool import Database


class _ThreadCall(Call):
    __slots__ = ("done",)

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        super().__init__(messages)
        self.done = threading.Event()


class _LoopCall(Call):
    __slots__ = ("future",)

    def __init__(self, messages: Sequence[Outgoing], future: Future[None]) -> None:
        super().__init__(messages)
        self.future = future

    def answer(self, failure: PublishError | None) -> None:
        self.finished = True
        resolve(self.future, failure)


class Publisher:
    """For any number of threads."""

    def __init__(self, database: Database, names: Names) -> None:
        self._names = names
        self._batches = Batches[_ThreadCall](database, names, _wake)

    def send(self, messages: Sequence[Outgoing], timeout: float) -> None:
        """Return once all are committed; raises Unconfirmed or Unroutable within `timeout` seconds."""
        _require_routes(self._names, messages)
        if not messages:
            return
        call = _ThreadCall(messages)
        self._batches.add(call)
        if not call.done.wait(timeout):
            call.abandoned = True
            raise _late(timeout)
        if call.failure is not None:
            raise call.failure

    def close(self) -> None:
        """Let go of the thread; what waits stays unconfirmed."""
        self._batches.close()


class LoopPublisher:
    """An `AsyncPublisher`: an event loop's callers, woken once for each transaction."""

    def __init__(
        self, place: tuple[Database, Names], ping: Callable[[], None], loop: AbstractEventLoop, within: float
    ) -> None:
        database, self._names = place
        self._ping = ping
        self._loop = loop
        self._within = within
        self._batches = Batches[_LoopCall](database, self._names, self._committed)
        self._deadlines = Deadlines(loop, within, over=_finished, expire=self._expire)

    def publish(self, *messages: Outgoing) -> Future[None]:
        """Done once all are committed; fails with PublishError in time."""
        call = _LoopCall(messages, self._loop.create_future())
        try:
            _require_routes(self._names, messages)
        except Unroutable as error:
            call.answer(error)
            return call.future
        if messages:
            self._batches.add(call)
            self._deadlines.add(call)
        else:
            call.answer(None)
        return call.future

    async def ping(self) -> None:
        """Return if a publish could be committed now; raises BrokerDown."""
        await self._loop.run_in_executor(None, self._ping)

    async def close(self) -> None:
        """Let go of the thread; what waits stays unconfirmed."""
        await self._loop.run_in_executor(None, self._batches.close)

    def _committed(self, calls: Sequence[_LoopCall]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(_answer, calls)

    def _expire(self, call: _LoopCall) -> None:
        call.abandoned = True
        call.answer(_late(self._within))


def _require_routes(names: Names, messages: Sequence[Outgoing]) -> None:
    for message in messages:
        if names.topology.queue_for(message.route) is None:
            raise Unroutable(f"no queue takes {message.route}")


def _late(seconds: float) -> Unconfirmed:
    return Unconfirmed(f"no commit within {seconds:g} s")


def _wake(calls: Sequence[_ThreadCall]) -> None:
    for call in calls:
        call.done.set()


def _answer(calls: Sequence[_LoopCall]) -> None:
    for call in calls:
        call.answer(call.failure)


def _finished(call: _LoopCall) -> bool:
    return call.finished
