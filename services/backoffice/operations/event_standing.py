"""What became of an event of Stripe's here, and what it says of stock: pure decisions that leave people's data out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from shared.messages import Message, ProductChanged, RefundChanged, SessionPaid
from shared.stripe_events import Ignore, Surprising, translate
from shared.vocabulary import EventId

Json = Mapping[str, Any]
_OF_STOCK: Final = re.compile(r"sizes?|stock(_.+)?|item_[0-9]{1,3}_(product_id|size|quantity)", re.DOTALL)
_FACTS: Final = ("payment_status", "status", "amount_total", "amount", "currency")


class Word(StrEnum):
    """What became of it, in a word or two."""

    DONE = "done"
    RECOVERED = "recovered"
    IGNORED = "ignored"
    TRIED = "being tried again"
    ASIDE = "put aside"
    WAITS = "waits"
    UNHEARD = "never heard of"
    ODD = "not understood"


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of an event, and why or how."""

    word: Word
    why: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    """The event in the delivery log: the first outcome, and whether a webhook brought it."""

    outcome: str
    arrived: bool


@dataclass(frozen=True, slots=True)
class Sale:
    """What is booked of the event's session, by which event."""

    event: EventId | None
    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """What our own database knows of one event; each is None where that is nothing."""

    log: Log | None = None
    sale: Sale | None = None
    told: bool = False
    """Recovery told the stock worker of the session lately."""
    asked: str | None = None
    """How the question stands that people were asked about a refund."""
    product: bool = False
    """The product was seen."""
    own: bool = False
    """The change was our own write."""
    waits: bool = False
    """It waits for a sync."""
    synced_at: datetime | None = None


_OUTCOMES: Final = {
    "ignored": Standing(Word.IGNORED),
    "retrylater": Standing(Word.TRIED),
    "reject": Standing(Word.ASIDE, "in the dead letters, unless they were dropped"),
}


def message_of(event: Json) -> Message | Standing:
    """The message that the event asks for, or why there is none."""
    try:
        told = translate(event)
    except Surprising as surprise:
        return Standing(Word.ODD, f"the field {surprise}")
    return Standing(Word.IGNORED, told.reason) if isinstance(told, Ignore) else told[0]


def standing(message: Message | Standing, known: Known) -> Standing:
    """What became of the event that asks for `message`."""
    match message:
        case Standing():
            return message
        case SessionPaid(event=event):
            return _of_session(event, known)
        case ProductChanged(at=at):
            return _of_product(at, known)
        case RefundChanged():
            return _handled(known, f"people were asked: {known.asked}" if known.asked else "")
        case _:
            return _handled(known, "")


def _of_session(event: EventId | None, known: Known) -> Standing:
    sale, log = known.sale, known.log
    if sale is not None and sale.event == event:
        return (
            Standing(Word.RECOVERED, sale.reason)
            if sale.origin == "recovery"
            else Standing(Word.DONE, "booked")
        )
    if sale is not None:
        by = f"by {sale.event}" if sale.event else sale.reason
        return Standing(
            Word.UNHEARD if log is None else Word.IGNORED, f"its sale is booked, {by}".rstrip(", ")
        )
    if log is None and known.told:
        return Standing(Word.WAITS, "recovery told the stock worker")
    return _handled(
        known, "Stripe did not show the session as paid" if log and log.outcome == "ignored" else ""
    )


def _of_product(at: datetime, known: Known) -> Standing:
    """Webhooks of products are in no log: what shows is whether the product was looked at since."""
    if known.log is not None and known.log.outcome != "retrylater":
        return _handled(known, "")
    if known.own:
        return Standing(Word.DONE, "our own write")
    if not known.product:
        return Standing(Word.UNHEARD)
    if known.waits:
        return Standing(Word.WAITS, "the product is to be looked at")
    if known.synced_at is not None and known.synced_at >= at:
        return Standing(Word.DONE, "the product was looked at since")
    return Standing(Word.UNHEARD, "the product was not looked at since")


def _handled(known: Known, why: str) -> Standing:
    if known.log is None:
        return Standing(Word.UNHEARD)
    usual = _OUTCOMES.get(known.log.outcome, Standing(Word.DONE))
    word = Word.RECOVERED if usual.word is Word.DONE and not known.log.arrived else usual.word
    return Standing(word, why or usual.why)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event says that concerns stock; `before` holds what was there before a change, None for nothing."""

    said: Mapping[str, str | int] = field(default_factory=dict[str, str | int])
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    before: Mapping[str, str | None] = field(default_factory=dict[str, str | None])


def facts(event: Json) -> Facts:
    """What the event says of payment, amount and stock, and nothing of people."""
    data = _part(event, "data")
    about = _part(data, "object")
    said = {name: about[name] for name in _FACTS if isinstance(about.get(name), str | int)}
    before = _part(_part(data, "previous_attributes"), "metadata")
    return Facts(said, _of_stock(_part(about, "metadata")), _of_stock(before))


def _of_stock(metadata: Json) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if _OF_STOCK.fullmatch(name)}


def _part(source: Json, name: str) -> Json:
    value = source.get(name)
    return cast("Json", value) if isinstance(value, dict) else {}
