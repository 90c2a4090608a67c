"""A request's bytes: read within limits, never inflated, never parsed as a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from services.ingest.outcome import Outcome, Turned

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

LARGEST_BODY: Final = 1024 * 1024  # bytes
_LONGEST_NUMBER: Final = 19  # digits


class _Input(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read(environ: WSGIEnvironment) -> bytes:
    """The body of the request; raises Turned where it is too large or ends too early.

    A body that trickles in is cut off by `stalled`; what arrived by then is incomplete.
    """
    stream: _Input = environ["wsgi.input"]
    declared: str = environ.get("CONTENT_LENGTH", "")
    if not declared:
        return _undeclared(environ, stream)
    if not (declared.isascii() and declared.isdigit() and len(declared) <= _LONGEST_NUMBER):
        raise Turned(Outcome.BODY_INCOMPLETE, "content length")
    length = int(declared)
    if length > LARGEST_BODY:
        raise Turned(Outcome.BODY_TOO_LARGE)
    body = stream.read(length)
    if len(body) != length:
        raise Turned(Outcome.BODY_INCOMPLETE)
    return body


def _undeclared(environ: WSGIEnvironment, stream: _Input) -> bytes:
    """A chunked body; nothing at all where the server can't tell where the body ends."""
    if not environ.get("wsgi.input_terminated"):
        return b""
    body = stream.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise Turned(Outcome.BODY_TOO_LARGE)
    return body
