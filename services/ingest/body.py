"""A request's bytes: read within limits, never inflated, never parsed as a form."""

from __future__ import annotations

from typing import Final

from services.ingest.outcome import Outcome, Turned
from services.ingest.rsgi import Cut, Exchange, Headers

LARGEST_BODY: Final = 1024 * 1024  # bytes
_LONGEST_NUMBER: Final = 19  # digits


async def read(headers: Headers, exchange: Exchange) -> bytes:
    """The body of the request; raises Turned where it is too large or ends too early.

    A body that trickles in is cut off by `stalled`; what arrived by then is incomplete.
    """
    declared = headers.get("content-length")
    if declared is None:
        return await _undeclared(exchange)
    if not (declared.isascii() and declared.isdigit() and len(declared) <= _LONGEST_NUMBER):
        raise Turned(Outcome.BODY_INCOMPLETE, "content length")
    length = int(declared)
    if length > LARGEST_BODY:
        raise Turned(Outcome.BODY_TOO_LARGE)
    try:
        body = await exchange()
    except Cut:
        raise Turned(Outcome.BODY_INCOMPLETE) from None
    if len(body) != length:
        raise Turned(Outcome.BODY_INCOMPLETE)
    return body


async def _undeclared(exchange: Exchange) -> bytes:
    """A chunked body; nothing at all where there is none."""
    pieces: list[bytes] = []
    size = 0
    async for piece in exchange:
        size += len(piece)
        if size > LARGEST_BODY:
            raise Turned(Outcome.BODY_TOO_LARGE)
        pieces.append(piece)
    return b"".join(pieces)
