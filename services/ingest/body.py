"""A request's bytes: read within limits, never inflated, never parsed as a form."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from services.ingest.outcome import Outcome, Turned
from services.ingest.rsgi import Cut, Exchange, Headers

LARGEST_BODY: Final = 1024 * 1024  # bytes
SMALL_BODY: Final = 16 * 1024  # bytes; Stripe's events have a few thousand
ROOM: Final = 8 * 1024 * 1024
"""Bytes that the larger bodies in one process's hands may have together."""
_LONGEST_NUMBER: Final = 19  # digits


class Room:
    """What strangers may have a process keep, before anything is known of who they are."""

    def __init__(self, size: int = ROOM) -> None:
        self._left = size

    @contextmanager
    def share(self) -> Generator[Callable[[int], None]]:
        """Tells the size of one body, as far as it is known; a small one is always taken. Raises Turned."""
        held = 0

        def hold(size: int) -> None:
            nonlocal held
            more = size - held if size > SMALL_BODY else 0
            if more > self._left:
                raise Turned(Outcome.NO_ROOM)
            self._left -= more
            held += more

        try:
            yield hold
        finally:
            self._left += held


async def read(headers: Headers, exchange: Exchange, hold: Callable[[int], None]) -> bytes:
    """The body of the request; raises Turned where it is too large or ends too early, or `hold` does.

    A body that trickles in is cut off by `stalled`; what arrived by then is incomplete.
    """
    declared = headers.get("content-length")
    if declared is None:
        return await _undeclared(exchange, hold)
    if not (declared.isascii() and declared.isdigit() and len(declared) <= _LONGEST_NUMBER):
        raise Turned(Outcome.BODY_INCOMPLETE, "content length")
    length = int(declared)
    if length > LARGEST_BODY:
        raise Turned(Outcome.BODY_TOO_LARGE)
    hold(length)
    try:
        body = await exchange()
    except Cut:
        raise Turned(Outcome.BODY_INCOMPLETE) from None
    if len(body) != length:
        raise Turned(Outcome.BODY_INCOMPLETE)
    return body


async def _undeclared(exchange: Exchange, hold: Callable[[int], None]) -> bytes:
    """A chunked body; nothing at all where there is none."""
    pieces: list[bytes] = []
    size = 0
    async for piece in exchange:
        size += len(piece)
        if size > LARGEST_BODY:
            raise Turned(Outcome.BODY_TOO_LARGE)
        hold(size)
        pieces.append(piece)
    return b"".join(pieces)
