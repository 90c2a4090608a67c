"""An event of Stripe's log as a frozen value: what happened to which object, and who has not taken it yet."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime

from shared.stripe_api.objects import StripeValue, checked, part
from shared.vocabulary import EventId


class LoggedEvent(StripeValue):
    """An event without what it tells of its object but for the id; `owed` is how many endpoints have not taken it."""

    id: EventId
    type: str
    created: AwareDatetime
    livemode: bool
    object: str
    owed: int


def logged_event(event: dict[str, Any]) -> LoggedEvent:
    """An event from Stripe's JSON; raises SurprisingAnswer."""
    about = part(part(event, "data"), "object").get("id")
    return checked(LoggedEvent, {**event, "object": about or "", "owed": event.get("pending_webhooks")})
