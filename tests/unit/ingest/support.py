"""Signed events, a broker in memory, and a door between them."""

from __future__ import annotations

import asyncio
import json
from asyncio import AbstractEventLoop, Future
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import stripe

from services.ingest.__main__ import build
from services.ingest.app import Application
from services.ingest.metrics import Board, Metrics
from services.ingest.publishing import PublishingBroker
from services.ingest.rsgi import Cut, Pairs
from services.ingest.settings import IngestSettings
from shared import clock
from shared.broker.port import Outgoing
from shared.messages import Message, decode
from shared.settings import load

SECRET: Final = "whsec_" + "0123456789abcdef" * 2
OTHER_SECRET: Final = "whsec_" + "fedcba9876543210" * 2
PATH: Final = "/webhooks/stripe"


class MemoryPublisher:
    """What a MemoryBroker gives an event loop."""

    def __init__(self, broker: MemoryBroker, loop: AbstractEventLoop) -> None:
        self._broker = broker
        self._loop = loop

    def publish(self, *messages: Outgoing) -> Future[None]:
        """Keep the messages."""
        future = self._loop.create_future()
        trouble = self._broker.refusal(messages)
        if trouble:
            future.set_exception(trouble)
        else:
            self._broker.published.extend(messages)
            future.set_result(None)
        return future

    async def ping(self) -> None:
        """Raise the trouble, if there is any."""
        if self._broker.trouble:
            raise self._broker.trouble

    async def close(self) -> None:
        """Nothing to close."""


class MemoryBroker:
    """A queue that loses everything with the process; `trouble` is raised instead of publishing."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.trouble: Exception | None = None

    @property
    def messages(self) -> list[Message]:
        """What was published, decoded."""
        return [decode(outgoing.body) for outgoing in self.published]

    def refusal(self, messages: Sequence[Outgoing]) -> Exception | None:
        """Why `messages` are not taken."""
        del messages
        return self.trouble

    def on_loop(self, loop: AbstractEventLoop, *, within: float) -> MemoryPublisher:
        """The publisher."""
        assert within < 5
        return MemoryPublisher(self, loop)

    def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status_code: int
    headers: dict[str, str]
    data: bytes

    @property
    def text(self) -> str:
        """The body."""
        return self.data.decode()


@dataclass(slots=True)
class Request:
    """Scope and exchange of one request, as granian hands them to the application."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query_string: str = ""
    answers: list[Answer] = field(default_factory=list[Answer])

    async def __call__(self) -> bytes:
        """The body; Cut where it is shorter than was said."""
        if len(self.body) < int(self.headers.get("content-length", "0")):
            raise Cut
        return self.body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The body in pieces."""
        for start in range(0, len(self.body), 8192):
            yield self.body[start : start + 8192]

    def response_bytes(self, status: int, headers: Pairs, body: bytes, /) -> None:
        """Keep the answer."""
        self.answers.append(Answer(status, dict(headers), body))


class Client:
    """Speaks to an application in this process; how granian does it is for the tests of the whole."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._begin())

    def post(self, path: str, data: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send `data`."""
        return self.open(path, "POST", headers, data)

    def get(self, path: str) -> Answer:
        """Fetch."""
        return self.open(path, "GET")

    def open(
        self, path: str, method: str, headers: Mapping[str, str] | None = None, data: bytes = b""
    ) -> Answer:
        """Send a request, its length declared unless `headers` say otherwise."""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        request = Request(method, path, {"content-length": str(len(data)), **named}, data)
        if "transfer-encoding" in named:
            del request.headers["content-length"]
        self._loop.run_until_complete(self._application.__rsgi__(request, request))
        (answer,) = request.answers
        return answer

    def close(self) -> None:
        """End the application."""
        self._application.__rsgi_del__(self._loop)
        self._loop.close()

    async def _begin(self) -> None:
        self._application.__rsgi_init__(asyncio.get_running_loop())


def settings(home: Path, **changes: object) -> IngestSettings:
    """Settings of a real account in test mode."""
    given = {"stripe_webhook_secret": SECRET, "stocksync_home": home, **changes}
    return load(IngestSettings, _env_file=None, **given)


@contextmanager
def door(broker: PublishingBroker, home: Path, **changes: object) -> Generator[Client]:
    """A client in front of the real application."""
    board = Board()
    client = Client(build(settings(home, **changes), broker, Metrics(board, board.claim())))
    yield client
    client.close()


def signed(body: bytes, secret: str = SECRET, at: int | None = None) -> dict[str, str]:
    """Stripe's header for `body`, made by Stripe's own code."""
    text = body.decode("utf-8", "surrogateescape")
    time = clock.epoch() if at is None else at
    sign = stripe.WebhookSignature.generate_signature_header  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - partly untyped
    return {"Stripe-Signature": sign(text, secret, timestamp=time)}


def event(kind: str = "checkout.session.completed", /, **changes: object) -> dict[str, Any]:
    """A snapshot event as Stripe sends it; of a paid session unless told otherwise."""
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_790_000_000,
        "type": kind,
        "livemode": False,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": {"id": "cs_test_1", "object": "checkout.session", "payment_status": "paid"}},
        **changes,
    }


def raw(value: object) -> bytes:
    """`value` as Stripe would write it."""
    return json.dumps(value, indent=2).encode()
