"""Stripe's own account of which sessions were paid when, read no further back than somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from shared.stripe_api.objects import PaidEvent
from shared.vocabulary import SessionId

MOST_PAGES: Final = 1000
"""Pages of the log that one look reads; what they do not tell stays unknown."""


class PaidLog:
    """The events that tell of paid sessions, from the newest backwards."""

    def __init__(self, pages: Iterator[list[PaidEvent]], most_pages: int = MOST_PAGES) -> None:
        self._pages = pages
        self._left = most_pages
        self._seen: dict[SessionId, PaidEvent] = {}
        self._back_to: datetime | None = None
        self._ended = False

    def events(self, sessions: Mapping[SessionId, datetime]) -> dict[SessionId, PaidEvent]:
        """The event of each of `sessions` that has one; the times are when they were made. Raises as the pages do."""
        oldest = min(sessions.values(), default=None)
        while oldest and self._left and not self.reaches(oldest) and sessions.keys() - self._seen.keys():
            self._read()
        return {one: self._seen[one] for one in sessions if one in self._seen}

    def reaches(self, at: datetime) -> bool:
        """Whether everything that happened since `at` was read."""
        return self._ended or (self._back_to is not None and self._back_to < at)

    def _read(self) -> None:
        page = next(self._pages, None)
        self._left -= 1
        self._ended = page is None
        for event in page or ():
            self._seen[event.session] = event  # of several, the oldest
            self._back_to = event.created
