"""What granian hands an application for a request: the part of its RSGI that is used here, with types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from granian.rsgi import ProtocolClosed  # pyright: ignore[reportPrivateImportUsage] - its documented place

__all__ = ["Cut", "Exchange", "Headers", "Pairs", "Scope"]

Cut = ProtocolClosed
"""Raised where the client left, or was cut off, before its body was complete."""
Pairs = list[tuple[str, str]]


class Headers(Protocol):
    """A request's headers; names in lower case, one value each."""

    def get(self, key: str, /) -> str | None:
        """The value of the header `key`."""
        ...


class Scope(Protocol):
    """A request without its body."""

    method: str
    path: str
    """Decoded: no `%3C` in it."""
    query_string: str

    @property
    def headers(self) -> Headers:
        """Made anew at each look."""
        ...


class Exchange(Protocol):
    """The body of a request, whole or piece by piece, and the way back."""

    async def __call__(self) -> bytes:
        """The whole body; raises Cut."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body as it comes; ends where the client left."""
        ...

    def response_bytes(self, status: int, headers: Pairs, body: bytes, /) -> None:
        """Answer."""
        ...
