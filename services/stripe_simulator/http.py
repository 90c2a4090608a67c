"""What passes between the socket and the simulator: a request, an answer, and how an answer may go wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from services.stripe_simulator import ids


class Wire(Enum):
    """How the bytes of an answer reach the client."""

    WHOLE = auto()
    TRUNCATED = auto()  # a complete HTTP answer with half of the JSON
    RESET = auto()  # the connection is reset in the middle of the body
    HANGUP = auto()  # the connection ends without a byte of answer


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it arrived; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    id: str = field(default_factory=lambda: ids.new("req"))

    @property
    def idempotency_key(self) -> str | None:
        """The idempotency key; Stripe heeds it for POST alone."""
        return self.headers.get("idempotency-key") if self.method == "POST" else None

    @property
    def encoded(self) -> str:
        """The parameters in form encoding, from the query and the body."""
        return "&".join(part for part in (self.query, self.body.decode(errors="replace")) if part)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    wire: Wire = Wire.WHOLE


HANGUP = Answer(0, b"", wire=Wire.HANGUP)


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """`value` as a JSON answer."""
    return Answer(status, json.dumps(value).encode(), headers or {})
