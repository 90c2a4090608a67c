"""Moments as people type and read them: in the shop's time zone where none is given."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


class NoMoment(ValueError):
    """What was typed is no moment; the text is for people."""


def parse(text: str, zone: ZoneInfo) -> datetime:
    """`2026-05-04`, `2026-05-04T10:30` (both in `zone`) or `2026-05-04T10:30+02:00` as UTC; raises NoMoment."""
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoMoment(
            f"not a moment: {text[:40]!r}; write 2026-05-04, 2026-05-04T10:30 or 2026-05-04T10:30+02:00"
        ) from None


def shown(at: datetime, zone: ZoneInfo) -> str:
    """`2026-05-04 10:30` in `zone`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
