"""Where a page of a long list begins, as an address holds it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from shared.periods import midnight
from shared.refusal import Refused
from shared.store.journal_pages import Mark

_KEY: Final = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class NoMark(Refused):
    """An address that no page of ours leads to."""


def written(mark: Mark) -> str:
    """`2026-05-04T10:30:00.123456+00:00~cs_1`."""
    return f"{mark.at.astimezone(UTC).isoformat()}~{mark.key}"


def read(text: str | None, *, numbered: bool) -> Mark | None:
    """What `written` wrote, its key a number where `numbered`; None without a text; raises NoMark."""
    if not text:
        return None
    at, _, key = text.rpartition("~")
    if not (_NUMBER if numbered else _KEY).fullmatch(key):
        raise _none()
    return Mark(moment(at), key)


def moment(text: str) -> datetime:
    """A moment as `isoformat` writes it, with its zone; raises NoMark."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise _none()
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _none() from None


def day(text: str, zone: ZoneInfo) -> datetime | None:
    """When the day of a form begins in `zone`; None without one; raises NoMark."""
    if not text:
        return None
    try:
        return midnight(date.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        raise NoMark(f"not a day: {text[:20]!r}; write 2026-05-04") from None


def _none() -> NoMark:
    return NoMark("no page begins there; begin with the newest")
