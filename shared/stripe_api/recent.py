"""Paid sessions that a list showed beside those it was asked for: in a backlog they are wanted next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import Final

from shared import clock
from shared.stripe_api.objects import CheckoutSession
from shared.vocabulary import SessionId

MOST: Final = 20_000
"""Sessions kept, some 3 KB each."""
KEPT: Final = 300.0
"""Seconds; a paid session stays as it is, but its products' names and sizes may change."""


class Recent:
    """The sessions last listed. Thread-safe."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[SessionId, tuple[float, CheckoutSession]] = OrderedDict()
        self._lock = Lock()

    def keep(self, session: SessionId, shown: CheckoutSession) -> None:
        """Remember a paid session; the oldest make room."""
        with self._lock:
            self._sessions[session] = (clock.monotonic(), shown)
            self._sessions.move_to_end(session)
            if len(self._sessions) > MOST:
                self._sessions.popitem(last=False)

    def get(self, sessions: Iterable[SessionId]) -> dict[SessionId, CheckoutSession]:
        """Those of `sessions` that were listed not long ago."""
        since = clock.monotonic() - KEPT
        with self._lock:
            kept = {session: self._sessions.get(session) for session in sessions}
        return {session: entry[1] for session, entry in kept.items() if entry and entry[0] > since}
