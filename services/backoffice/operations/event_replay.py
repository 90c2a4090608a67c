"""Sending events of Stripe's to the stock worker once more, as recovery does; nothing is booked twice by that."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.backoffice.operations.events import Desk
from services.backoffice.operations.hints import publish
from shared import logs
from shared.broker.port import Broker
from shared.messages import Message, ProductChanged, RefundChanged, SessionPaid
from shared.outcomes import Outage
from shared.refusal import Refused
from shared.store.sales import Sales
from shared.store.told_sales import ToldSales
from shared.stripe_events import Ignore, Surprising, recovered
from shared.vocabulary import EventId
from shared.webhook_events import EVENT_TYPES

LONGEST_REASON: Final = 200
"""Characters that a message has room for."""

log = logs.get(__name__)


class NotAllSent(Refused):
    """The queue went away; the text says what was sent and what was not."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Whether an event was `sent`: what it is about and what to expect, or why not."""

    event: str
    sent: bool
    what: str


def replay(desk: Desk, broker: Broker, events: Sequence[str], *, by: str) -> list[Replayed]:
    """Send events again, each once; what became of each, in their order.

    All are read before the first is sent. Raises NotAllSent, DatabaseOutage, StripeFailed.
    """
    read = {event: _read(desk, event, by) for event in dict.fromkeys(events)}
    if any(isinstance(found, tuple) for found in read.values()):
        _declare(broker)
    done: list[Replayed] = []
    for event, found in read.items():
        if isinstance(found, str):
            done.append(Replayed(event, sent=False, what=found))
            continue
        try:
            publish(broker, found)
        except Outage:
            raise NotAllSent(_so_far(event, [one.event for one in done if one.sent])) from None
        log.info("event_replayed", event_id=event, actor=by)
        done.append(Replayed(event, sent=True, what=_about(desk, found)))
    return done


def _read(desk: Desk, event: str, by: str) -> tuple[Message, ...] | str:
    """The messages that the event's webhook would have become, or why there are none."""
    found = desk.stripe.event(EventId(event))
    if found is None:
        return "Stripe knows no such event; it keeps them for 30 days"
    kind = str(found.get("type"))
    if kind not in EVENT_TYPES:
        return f"stocksync does not handle {kind}"
    try:
        told = recovered(found, f"replayed by {by}"[:LONGEST_REASON])
    except Surprising as surprise:
        return f"its form is not understood (the field {surprise})"
    if isinstance(told, Ignore):
        return f"it asks nothing of stock: {told.reason}"
    other = {str(getattr(one, "account", "")) for one in told} - {desk.account}
    if other:
        return f"it is of {', '.join(sorted(other))}, and this ledger of {desk.account}"
    return told


def _declare(broker: Broker) -> None:
    try:
        broker.declare()
    except Outage:
        raise NotAllSent("the queue does not answer: nothing was sent") from None


def _so_far(event: str, sent: Sequence[str]) -> str:
    before = f"sent before that: {', '.join(sent)}" if sent else "nothing was sent before that"
    return (
        f"the queue does not answer: it did not confirm {event}, what was named after it was not sent, and {before};"
        " it is safe to replay all of them again"
    )


def _about(desk: Desk, messages: Sequence[Message]) -> str:
    """What was sent, and what is known of it; has recovery know that the stock worker was told."""
    sessions = [one.session for one in messages if isinstance(one, SessionPaid)]
    booked = False
    with contextlib.suppress(Outage):  # it was sent; recovery may tell of it once more, which changes nothing
        booked = bool(sessions) and bool(
            desk.database.run(lambda connection: Sales(connection, desk.account).booked(sessions))
        )
        if sessions:
            desk.database.run(lambda connection: ToldSales(connection, desk.account).note(sessions))
    about = ", ".join(_object(one) for one in messages)
    return f"{about}, which is booked already: it changes nothing" if booked else about


def _object(message: Message) -> str:
    match message:
        case SessionPaid(session=about) | ProductChanged(product=about) | RefundChanged(refund=about):
            return about
        case _:
            return message.type
