"""Movements as others read them: schema `stocksync.movement/1`, described in docs/feeds.md."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from shared.spreadsheet import Value
from shared.vocabulary import AccountKey, EventId, ProductId, SessionId, Size

SCHEMA: Final = "stocksync.movement/1"
COLUMNS: Final = (
    *("schema", "id", "at", "account", "product", "size", "delta", "kind"),
    *("source_key", "session", "event", "actor", "reason"),
)
LONGEST_KEY: Final = 255
"""Bytes of a routing key, by AMQP."""
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A movement as it stands in the ledger; `at` is when its transaction began."""

    id: int
    at: datetime
    account: AccountKey
    product: ProductId
    size: Size
    delta: int
    kind: str
    source_key: str
    session: SessionId | None
    event: EventId | None
    actor: str
    reason: str


def cells(movement: Recorded) -> tuple[Value, ...]:
    """The movement under COLUMNS."""
    return (
        SCHEMA,
        movement.id,
        movement.at.astimezone(UTC).isoformat(),
        movement.account,
        movement.product,
        movement.size,
        movement.delta,
        movement.kind,
        movement.source_key,
        movement.session,
        movement.event,
        movement.actor,
        movement.reason,
    )


def as_json(movement: Recorded) -> str:
    """The movement as one line of JSON."""
    return json.dumps(
        dict(zip(COLUMNS, cells(movement), strict=True)), ensure_ascii=False, separators=(",", ":")
    )


def routing_key(movement: Recorded) -> str:
    """`movement.<kind>.<product>`; what is no letter, digit, `_` or `-` in the product's id becomes `_`."""
    return f"movement.{movement.kind}.{_NO_WORD.sub('_', movement.product)}"[:LONGEST_KEY]
