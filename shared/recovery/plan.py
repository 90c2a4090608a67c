"""Where recovery looks, what counts as missed, and why it was: pure decisions about what Stripe lists."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.messages import Message, SessionPaid
from shared.stripe_api.objects import ListedSession, PaidEvent
from shared.vocabulary import AccountKey, EventId, SessionId

SESSIONS_BACK: Final = timedelta(hours=72)
"""How far back the list of paid sessions is compared."""
EVENTS_BACK: Final = timedelta(days=30)
"""How far back Stripe's event log reaches."""
CUT_OFF: Final = timedelta(minutes=15)
"""What was paid later than so long ago may still be on its way."""
EVENT_CUT_OFF: Final = timedelta(minutes=5)
"""An event younger than this is in transit, not undelivered."""
OVERLAP: Final = timedelta(hours=1)
"""How much of what was looked through before is looked through again: lists may lag behind."""
SECOND: Final = timedelta(seconds=1)


class Why(StrEnum):
    """Why a sale was missed, in words that follow its id."""

    UNDELIVERED = "its webhook was not delivered"
    NO_EVENT = "Stripe made no event for it"
    LOST = "Stripe counts its webhook as delivered, but it did not get here"
    UNKNOWN = "no webhook told of it"


@dataclass(frozen=True, slots=True)
class Window:
    """Where is looked at `now`: sessions by when they were made, undelivered events by when they happened."""

    now: datetime
    sessions_since: datetime
    events_since: datetime

    @property
    def cut_off(self) -> datetime:
        """What was paid later is in transit."""
        return self.now - CUT_OFF

    @property
    def events_until(self) -> datetime:
        """What happened later is in transit."""
        return self.now - EVENT_CUT_OFF


def window(
    now: datetime,
    installed: datetime,
    *,
    looked_until: datetime | None = None,
    compared_until: datetime | None = None,
    since: datetime | None = None,
) -> Window:
    """Where to look; `since` is what a person wants, and goes before the rest.

    Events were looked through up to `looked_until`, sessions compared up to `compared_until`: after a time off all
    that were made meanwhile are, and those from before that were perhaps not paid for yet. Never before the
    installation: the balances that it opened with contain what was sold until then.
    """
    first = _whole_second(installed)
    events = now - EVENTS_BACK
    if since is not None:
        return Window(now, max(first, since), max(first, since, events))
    if looked_until is not None:
        events = max(events, looked_until - OVERLAP)
    sessions = min(now, compared_until or now) - SESSIONS_BACK
    return Window(now, max(first, sessions), max(first, events))


def _whole_second(at: datetime) -> datetime:
    """The first whole second that is not before `at`; Stripe's times have whole seconds."""
    return datetime.fromtimestamp(math.ceil(at.timestamp()), UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """All paid sessions that were made from `since` up to, and not in, `until`; times are of their making."""

    since: datetime
    until: datetime
    paid: Mapping[SessionId, datetime]


def spans(pages: Iterable[Sequence[ListedSession]], since: datetime, until: datetime) -> Iterator[Span]:
    """Pages of completed sessions, newest first, cut between seconds: together all that was made since `since`."""
    held: list[ListedSession] = []
    for page in pages:
        held += page
        edge = held[-1].created + SECOND if held else until
        whole = [row for row in held if row.created >= edge]
        if whole:
            yield Span(edge, until, _paid(whole))
            held, until = [row for row in held if row.created < edge], edge
    yield Span(since, until, _paid(held))


def _paid(rows: Iterable[ListedSession]) -> dict[SessionId, datetime]:
    return {row.id: row.created for row in rows if row.paid}


@dataclass(frozen=True, slots=True)
class Missed:
    """What Stripe knows and nobody was told of: the message that tells it now, and why it was missed."""

    message: Message
    why: Why

    @property
    def sale(self) -> SessionId | None:
        """The session, where it is about a sale."""
        return self.message.session if isinstance(self.message, SessionPaid) else None


@dataclass(frozen=True, slots=True)
class Doubted:
    """Sessions of one span that are paid and not booked, by how sure that is."""

    in_transit: frozenset[SessionId]
    missing: Mapping[SessionId, datetime]


def doubted(
    span: Span, booked: Collection[SessionId], told: Collection[SessionId], cut_off: datetime
) -> Doubted:
    """What of `span` is neither booked nor told of already; young ones are in transit."""
    absent = {one: made for one, made in span.paid.items() if one not in booked and one not in told}
    young = frozenset(one for one, made in absent.items() if made > cut_off)
    return Doubted(young, {one: made for one, made in absent.items() if one not in young})


def explained(
    account: AccountKey, session: SessionId, made: datetime, event: PaidEvent | None, *, whole_log: bool
) -> Missed:
    """Why the `session` that was `made` then is missing, by its `event` in a log that was read far enough or not."""
    if event is not None:
        why = Why.LOST if event.delivered else Why.UNDELIVERED
    else:
        why = Why.NO_EVENT if whole_log else Why.UNKNOWN
    message = SessionPaid(
        account=account,
        session=session,
        event=EventId(event.id) if event else None,
        event_type=event.type if event else "",
        at=event.created if event else made,
        origin="recovery",
        reason=why.value,
    )
    return Missed(message, why)
