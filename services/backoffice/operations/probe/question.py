"""One question to Stripe: what is expected, what was seen, what the protocol makes of it; and what it is asked with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import Event
from typing import Any, Final, TypeVar

from shared import clock
from shared.stripe_api.objects import part
from shared.stripe_api.plain import Answer, PlainApi

PATIENCE: Final = 30.0  # seconds until an event or a list must show a write
LOOK_EVERY: Final = 0.5  # seconds; a sandbox allows 25 requests a second


class Match(StrEnum):
    """How what was seen compares with what is expected."""

    YES = "as expected"
    NO = "differs"
    NOTED = "noted"  # nothing was promised


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """What Stripe did, in a few words."""

    match: Match
    text: str


@dataclass(frozen=True, slots=True)
class Bench:
    """A throw-away product in the sandbox; `run` makes this run's keys its own, `since` is when it began."""

    api: PlainApi
    product: str
    run: str
    since: int

    def key(self, name: str) -> str:
        """This run's idempotency key of that name."""
        return f"stocksync-probe-{self.run}-{name}"

    def write(self, key: str, **metadata: str) -> Answer:
        """One update of the product's `metadata` (none: an empty update) under the key called `key`."""
        body = {f"metadata[{name}]": value for name, value in metadata.items()}
        return self.api.post(f"products/{self.product}", body, self.key(key))

    def shown(self) -> dict[str, str]:
        """The product's metadata by id."""
        return metadata(self.api.get(f"products/{self.product}").body)

    def event(self, key: str) -> Mapping[str, Any] | None:
        """The product's `product.updated` event of the write under `key`, waited for; None where none came."""
        return patiently(lambda: next(iter(self.events(key)), None))

    def events(self, key: str) -> list[Mapping[str, Any]]:
        """All `product.updated` events of the product that carry the key called `key`."""
        asked: dict[str, str | int] = {"type": "product.updated", "created[gte]": self.since, "limit": 100}
        return [
            event
            for event in self.api.get("events", **asked).rows
            if part(part(event, "data"), "object").get("id") == self.product
            and part(event, "request").get("idempotency_key") == self.key(key)
        ]


@dataclass(frozen=True, slots=True)
class Question:
    """`so` is the consequence: what the protocol does with the expected answer, or must do without it."""

    name: str
    expected: str
    so: str
    ask: Callable[[Bench], Seen]


def seen(text: str, *, expected: bool) -> Seen:
    """What was seen, compared."""
    return Seen(Match.YES if expected else Match.NO, text)


def noted(text: str) -> Seen:
    """What was seen where nothing was promised."""
    return Seen(Match.NOTED, text)


def metadata(product: Mapping[str, Any]) -> dict[str, str]:
    """A product's metadata from Stripe's JSON."""
    return part(dict(product), "metadata")


def told(answer: Answer) -> str:
    """An answer in a few words, `400 idempotency_error` or `200 replayed`."""
    replayed = "replayed" if answer.headers.get("idempotent-replayed") == "true" else ""
    return " ".join(word for word in (str(answer.status), answer.error, replayed) if word)


def patiently(look: Callable[[], T | None]) -> T | None:
    """What `look` finds, looked for until PATIENCE is over; None where it finds nothing."""
    deadline = clock.monotonic() + PATIENCE
    while (found := look()) is None and clock.monotonic() < deadline:
        Event().wait(LOOK_EVERY)
    return found
