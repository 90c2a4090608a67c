"""How the port's messages look as AMQP messages: properties, own headers, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast

from pika.spec import BasicProperties

from shared import clock
from shared.broker.port import Delivery, Outgoing, Parked

ATTEMPT: Final = "stocksync-attempt"
REASON: Final = "stocksync-reason"
PARKED_AT: Final = "stocksync-parked-at"  # milliseconds since 1970
PERSISTENT: Final = 2
LONGEST_REASON: Final = 500

Headers = dict[str, Any]


class Envelope(NamedTuple):
    """One AMQP message on its way out; an empty `exchange` means `key` is a queue's name.

    Where it is not `mandatory`, it is confirmed although no queue wants it.
    """

    exchange: str
    key: str
    body: bytes
    properties: BasicProperties
    mandatory: bool = True

    @property
    def identity(self) -> tuple[str, str]:
        """What a returned message is recognised by."""
        return (self.properties.message_id or "", self.key)


def fresh(exchange: str, message: Outgoing) -> Envelope:
    """`message` as it is first published; the timestamp, seconds since 1970, is its first-seen for ever."""
    properties = BasicProperties(
        content_type="application/json",
        delivery_mode=PERSISTENT,
        message_id=message.message_id,
        correlation_id=message.correlation_id,
        timestamp=clock.epoch(),
    )
    return Envelope(exchange, message.route, message.body, properties)


def again(queue: str, delivery: Delivery, attempt: int, reason: str) -> Envelope:
    """`delivery` for the queue named `queue`, as its `attempt`th try."""
    return _copy(queue, delivery, {ATTEMPT: attempt, REASON: reason[:LONGEST_REASON]})


def parked(queue: str, delivery: Delivery, reason: str) -> Envelope:
    """`delivery` for the dead letters in the queue named `queue`, with what a person needs to know."""
    now = int(clock.now().timestamp() * 1000)
    headers = {ATTEMPT: delivery.attempt, REASON: reason[:LONGEST_REASON], PARKED_AT: now}
    return _copy(queue, delivery, headers)


def replayed(queue: str, body: bytes, old: BasicProperties) -> Envelope:
    """A dead letter on its way back to the queue named `queue`: same ids, attempts forgotten."""
    properties = BasicProperties(
        content_type=old.content_type,
        delivery_mode=PERSISTENT,
        message_id=old.message_id,
        correlation_id=old.correlation_id,
        timestamp=old.timestamp,
    )
    return Envelope("", queue, body, properties)


def _copy(queue: str, delivery: Delivery, headers: Headers) -> Envelope:
    properties = BasicProperties(
        content_type="application/json",
        delivery_mode=PERSISTENT,
        message_id=delivery.message_id,
        correlation_id=delivery.correlation_id,
        timestamp=int(delivery.first_seen.timestamp()),
        headers=headers,
    )
    return Envelope("", queue, delivery.body, properties)


def headers_of(properties: BasicProperties) -> Headers:
    """The headers, an empty table where there are none."""
    return cast("Headers | None", properties.headers) or {}


def returns_so_far(properties: BasicProperties, *, redelivered: bool) -> int:
    """How often this message came back to its queue without an answer."""
    return int(headers_of(properties).get("x-delivery-count", int(redelivered)))


def delivery(queue: str, body: bytes, properties: BasicProperties) -> Delivery:
    """What came out of the work queue of `queue`."""
    return Delivery(
        queue=queue,
        body=body,
        message_id=properties.message_id or "",
        correlation_id=properties.correlation_id or "",
        attempt=int(headers_of(properties).get(ATTEMPT, 1)),
        first_seen=_first_seen(properties),
    )


def dead_letter(queue: str, body: bytes, properties: BasicProperties, delivery_limit: int) -> Parked:
    """What came out of the dead letters of `queue`, whether we parked it or the broker did."""
    headers = headers_of(properties)
    attempts = int(headers.get(ATTEMPT, 1))
    if PARKED_AT in headers:
        reason = str(headers.get(REASON, ""))
        parked_at = datetime.fromtimestamp(headers[PARKED_AT] / 1000, UTC)
    else:
        death = _death(headers)
        attempts += delivery_limit - 1
        reason = _broker_reason(death, delivery_limit)
        parked_at = cast("datetime", death.get("time") or _first_seen(properties))
    return Parked(
        queue=queue,
        message_id=properties.message_id or "",
        correlation_id=properties.correlation_id or "",
        body=body,
        reason=reason,
        attempts=attempts,
        first_seen=_first_seen(properties),
        parked_at=parked_at,
    )


def _first_seen(properties: BasicProperties) -> datetime:
    stamp = cast("int | None", properties.timestamp)
    return clock.now() if stamp is None else datetime.fromtimestamp(stamp, UTC)


def _death(headers: Headers) -> Mapping[str, Any]:
    deaths = cast("list[Mapping[str, Any]]", headers.get("x-death") or [])
    unknown: Mapping[str, Any] = {}
    return next((death for death in deaths if death.get("reason") != "expired"), unknown)


def _broker_reason(death: Mapping[str, Any], delivery_limit: int) -> str:
    if death.get("reason") == "delivery_limit":
        return f"delivered {delivery_limit} times without an answer: the handler crashes on it"
    return f"parked by the broker: {death.get('reason', 'unknown')}"
