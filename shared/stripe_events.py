"""Stripe's event to our messages: a pure function that carries ids, never people's data.

An event of a subscribed type whose shape is not the known one raises Surprising. As a webhook it is answered with 400:
Stripe keeps it, shows it as failed and sends it again for three days, which is time to deploy a fix; the
sale itself is found from the list of paid sessions in any case. Nothing half-understood enters the queue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast

from shared.messages import CheckupRequested, Message, ProductChanged, RefundChanged, SessionPaid
from shared.vocabulary import AccountKey, EventId, ProductId, RefundId, SessionId, account_key
from shared.webhook_events import CHECKUP

Object = Mapping[str, Any]


class Surprising(ValueError):
    """A signed event lacks a field or holds another type; the text names the field, never its contents."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """The event asks nothing of stock, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Head:
    """What every event carries."""

    id: EventId
    type: str
    account: AccountKey
    at: datetime


_EVENT_ID: Final = re.compile(r"evt_[A-Za-z0-9_]{1,250}", re.ASCII)
_EVENT_TYPE: Final = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)
_ACCOUNT: Final = re.compile(r"acct_[A-Za-z0-9]{1,60}", re.ASCII)
_SESSION_ID: Final = re.compile(r"cs_[A-Za-z0-9_]{1,250}", re.ASCII)
_REFUND_ID: Final = re.compile(r"[a-z]{2,4}_[A-Za-z0-9_]{1,250}", re.ASCII)
_PRODUCT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999


def translate(event: Object) -> tuple[Message, ...] | Ignore:
    """The messages that `event` (parsed, verified) asks for, or why there are none; raises Surprising."""
    kind = event_type(event)
    act = _ACTS.get(kind)
    if act is None:
        return Ignore("unknown type")
    head = Head(event_id(event), kind, account_key(account(event), livemode=livemode(event)), _created(event))
    return act(head, event, _object(event, "data"))


def recovered(event: Object, reason: str) -> tuple[Message, ...] | Ignore:
    """The same messages, of an event that no webhook brought and why; raises Surprising."""
    result = translate(event)
    return result if isinstance(result, Ignore) else tuple(_recovered(one, reason) for one in result)


def _recovered(message: Message, reason: str) -> Message:
    match message:
        case SessionPaid():
            return message.model_copy(update={"origin": "recovery", "reason": reason})
        case ProductChanged():
            return message.model_copy(update={"origin": "recovery"})
        case _:
            return message


def event_id(event: Object) -> EventId:
    """`evt_…`; raises Surprising."""
    return EventId(_matching(event, "id", _EVENT_ID))


def event_type(event: Object) -> str:
    """Such as `product.updated`; raises Surprising."""
    return _matching(event, "type", _EVENT_TYPE)


def account(event: Object) -> str | None:
    """The connected account (`acct_…`) that the event belongs to, None for our own; raises Surprising."""
    return None if event.get("account") is None else _matching(event, "account", _ACCOUNT)


def livemode(event: Object) -> bool:
    """Whether real money moved; raises Surprising."""
    value = event.get("livemode")
    if not isinstance(value, bool):
        raise Surprising("livemode")
    return value


def _session(head: Head, _: Object, data: Object) -> tuple[Message, ...] | Ignore:
    session = _object(data, "object")
    paid = session.get("payment_status")
    if head.type == "checkout.session.completed" and paid == "unpaid":
        return Ignore("not paid yet")  # .async_payment_succeeded follows
    if not isinstance(paid, str):
        raise Surprising("payment_status")
    return (
        SessionPaid(
            account=head.account,
            session=SessionId(_matching(session, "id", _SESSION_ID)),
            event=head.id,
            event_type=head.type,
            at=head.at,
        ),
    )


def _never_paid(*_: object) -> Ignore:
    return Ignore("never paid")


def _checkup(head: Head, *_: object) -> tuple[Message, ...]:
    return (CheckupRequested(account=head.account, event=head.id, at=head.at),)


def _refund(head: Head, _: Object, data: Object) -> tuple[Message, ...]:
    """A refund, or a dispute: what becomes of the money is read by its id."""
    refund = RefundId(_matching(_object(data, "object"), "id", _REFUND_ID))
    return (RefundChanged(account=head.account, refund=refund, event=head.id, at=head.at),)


def _product(change: Literal["created", "updated", "deleted"]) -> Act:
    def act(head: Head, event: Object, data: Object) -> tuple[Message, ...] | Ignore:
        product = _object(data, "object")
        previous = _optional_object(data, "previous_attributes")
        return (
            ProductChanged(
                account=head.account,
                product=ProductId(_matching(product, "id", _PRODUCT_ID)),
                event=head.id,
                change=change,
                at=head.at,
                idempotency_key=_idempotency_key(event),
                metadata=_values(_optional_object(product, "metadata")),
                previous_metadata=_previous_values(_optional_object(previous, "metadata")),
            ),
        )

    return act


Act = Callable[[Head, Object, Object], tuple[Message, ...] | Ignore]
_ACTS: Final[dict[str, Act]] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _never_paid,
    "checkout.session.expired": _never_paid,
    "product.created": _product("created"),
    "product.updated": _product("updated"),
    "product.deleted": _product("deleted"),
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _refund,
    "charge.dispute.updated": _refund,
    "charge.dispute.closed": _refund,
    "charge.dispute.funds_withdrawn": _refund,
    "charge.dispute.funds_reinstated": _refund,
    CHECKUP: _checkup,
}
UNDERSTOOD: Final = frozenset(_ACTS)
"""The types of events that are not ignored."""


def _idempotency_key(event: Object) -> str | None:
    """The key of the API call that caused the event; None for an edit in the Dashboard."""
    key = _optional_object(event, "request").get("idempotency_key")
    if key is None:
        return None
    if not isinstance(key, str):
        raise Surprising("idempotency_key")
    return _storable(key)


def _created(event: Object) -> datetime:
    value = event.get("created")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LAST_SECOND:
        raise Surprising("created")
    return datetime.fromtimestamp(value, UTC)


def _values(metadata: Object) -> dict[str, str]:
    pairs = _previous_values(metadata)
    known = {name: value for name, value in pairs.items() if value is not None}
    if len(known) != len(pairs):
        raise Surprising("metadata")
    return known


def _previous_values(metadata: Object) -> dict[str, str | None]:
    """Metadata before a change; None marks a key that was not there."""
    if not all(value is None or isinstance(value, str) for value in metadata.values()):
        raise Surprising("metadata")
    pairs = cast("Mapping[str, str | None]", metadata)
    return {_storable(name): None if value is None else _storable(value) for name, value in pairs.items()}


def _storable(text: str) -> str:
    """`text` without what UTF-8 or a database can't hold (NUL, lone surrogates)."""
    return _UNSTORABLE.sub("\ufffd", text)


def _matching(source: Object, name: str, form: re.Pattern[str]) -> str:
    value = source.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Surprising(name)
    return value


def _object(source: Object, name: str) -> Object:
    value = source.get(name)
    if not isinstance(value, dict):
        raise Surprising(name)
    return cast("dict[str, Any]", value)


def _optional_object(source: Object, name: str) -> Object:
    return {} if source.get(name) is None else _object(source, name)
