"""Signed events, a broker in memory, and a door between them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from threading import Event
from typing import Any, Final

import stripe
from werkzeug.test import Client

from services.ingest.__main__ import build
from services.ingest.metrics import Board, Metrics
from services.ingest.settings import IngestSettings
from shared import clock
from shared.broker.port import Broker, Depth, Outgoing, Parked, Subscription
from shared.messages import Message, decode
from shared.settings import load

SECRET: Final = "whsec_" + "0123456789abcdef" * 2
OTHER_SECRET: Final = "whsec_" + "fedcba9876543210" * 2
PATH: Final = "/webhooks/stripe"


class MemoryBroker:
    """A queue that loses everything with the process; `trouble` is raised instead of publishing."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.trouble: Exception | None = None

    @property
    def messages(self) -> list[Message]:
        """What was published, decoded."""
        return [decode(outgoing.body) for outgoing in self.published]

    def declare(self) -> None:
        """Nothing to build."""

    def publish(self, *messages: Outgoing, timeout: float = 5.0) -> None:
        """Keep the messages."""
        assert timeout < 5
        if self.trouble:
            raise self.trouble
        self.published.extend(messages)

    def consume(self, subscriptions: Sequence[Subscription], stop: Event) -> None:
        """Nobody consumes from here."""
        raise NotImplementedError

    def depth(self, queue: str) -> Depth:
        """How many messages were published, whatever the queue."""
        del queue
        return Depth(len(self.published), 0, 0)

    def dead_letters(self, queue: str, limit: int = 50) -> list[Parked]:
        """None, ever."""
        del queue, limit
        return []

    def replay(self, queue: str, *, limit: int = 1000, only: Collection[str] | None = None) -> int:
        """Nothing to replay."""
        del queue, limit, only
        return 0

    def ping(self) -> None:
        """Raise the trouble, if there is any."""
        if self.trouble:
            raise self.trouble

    def close(self) -> None:
        """Nothing to close."""


def settings(home: Path, **changes: object) -> IngestSettings:
    """Settings of a real account in test mode."""
    given = {"stripe_webhook_secret": SECRET, "stocksync_home": home, **changes}
    return load(IngestSettings, _env_file=None, **given)


def door(broker: Broker, home: Path, **changes: object) -> Client:
    """An HTTP client in front of the real application."""
    board = Board()
    return Client(build(settings(home, **changes), broker, Metrics(board, board.claim())))


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
