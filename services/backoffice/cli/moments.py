"""Moments as people type and read them: in the shop's time zone where none is given."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shared import clock


class NoMoment(ValueError):
    """What was typed is no moment, or can't be meant; the text is for people."""


def parse(text: str, zone: ZoneInfo) -> datetime:
    """`2026-05-04`, `2026-05-04T10:30` (both in `zone`) or `2026-05-04T10:30+02:00` as UTC; raises NoMoment."""
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoMoment(
            f"not a moment: {text[:40]!r}; write 2026-05-04, 2026-05-04T10:30 or 2026-05-04T10:30+02:00"
        ) from None


def past(text: str | None, zone: ZoneInfo) -> datetime | None:
    """What `parse` reads, None without a text; raises NoMoment where it is no moment or still to come."""
    at = None if text is None else parse(text, zone)
    if at is not None and at > clock.now():
        raise NoMoment(f"{text} is in the future")
    return at


def named(at: datetime, zone: ZoneInfo) -> str:
    """`2026-05-04 10:30 CEST` in `zone`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def shown(at: datetime, zone: ZoneInfo) -> str:
    """`2026-05-04 10:30` in `zone`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
