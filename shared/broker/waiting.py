"""Callers on an event loop who wait for a confirm: one timer for all, since all have the same patience."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from shared.broker.port import PublishError

T = TypeVar("T")


def resolve(future: Future[None], error: PublishError | None) -> None:
    """End the waiting, unless it has ended already."""
    if future.done():
        return  # it was late, or its caller was cancelled
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


class Deadlines(Generic[T]):
    """Calls `expire` for what is not `over` when `seconds` have passed since it was added."""

    def __init__(
        self,
        loop: AbstractEventLoop,
        seconds: float,
        *,
        over: Callable[[T], bool],
        expire: Callable[[T], None],
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._over = over
        self._expire = expire
        self._waiting: deque[tuple[float, T]] = deque()
        self._armed = False

    def add(self, one: T) -> None:
        """The time of `one` runs from now."""
        while self._waiting and self._over(self._waiting[0][1]):
            self._waiting.popleft()
        self._waiting.append((self._loop.time() + self._seconds, one))
        if not self._armed:
            self._arm()

    def _arm(self) -> None:
        self._armed = True
        self._loop.call_at(self._waiting[0][0], self._look)

    def _look(self) -> None:
        self._armed = False
        now = self._loop.time()
        while self._waiting and (self._over(self._waiting[0][1]) or self._waiting[0][0] <= now):
            one = self._waiting.popleft()[1]
            if not self._over(one):
                self._expire(one)
        if self._waiting:
            self._arm()
