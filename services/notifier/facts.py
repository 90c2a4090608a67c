"""What any alert's facts may hold, as short lines of text; total, whatever it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

from services.notifier.policy import Policy
from shared.alerts import JSON, Facts

NAME_LENGTH: Final = 80
LINE_LENGTH: Final = 200
_TIMES: Final = (
    ("planned_at", "planned for"),
    ("oldest", "the oldest from"),
    ("due_by", "the bank takes an answer until"),
)


def clean(value: JSON, length: int) -> str:
    """`value` as one line of at most `length` visible characters; empty for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    visible = (" " if unicodedata.category(c)[0] in "CZ" else c for c in str(value)[: length * 4])
    line = " ".join("".join(visible).split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def moment(at: datetime, zone: tzinfo = UTC) -> str:
    """`24 Nov 2026, 09:05 UTC`, by the clocks of `zone`."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M} {local.tzname()}"


def whole(value: JSON) -> int | None:
    """`value` where it is a whole number; True is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def capital(text: str) -> str:
    """`text` as a sentence begins."""
    return text[:1].upper() + text[1:]


def duration(seconds: int) -> str:
    """`2 d 3 h`, `14 h 5 min`, `20 min`, `40 s`."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days:,} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def first(lines: Sequence[str], most: int, others: str) -> list[str]:
    """The first `most` of `lines`, and how many `others` there are."""
    left = len(lines) - most
    return [*lines[:most], f"and {left:,} {others}"] if left > 0 else list(lines)


def details(facts: Facts, policy: Policy) -> list[str]:
    """What any kind may tell: when a job was due, until when to answer, how old the oldest is, a few examples."""
    lines: list[str] = []
    for key, words in _TIMES:
        if told := _time(facts.get(key), policy):
            lines.append(f"{words} {told}")
    listed = facts.get("examples")
    texts = [clean(one, LINE_LENGTH) for one in listed] if isinstance(listed, list) else []
    return lines + first([text for text in texts if text], policy.examples_shown, "more")


def _time(value: JSON, policy: Policy) -> str:
    """A moment where `value` is one in ISO form, else the text as it stands."""
    text = clean(value, LINE_LENGTH)
    try:
        at = datetime.fromisoformat(text)
        return moment(at if at.tzinfo else at.replace(tzinfo=UTC), policy.zone)
    except (ValueError, OverflowError):
        return text
