"""What is said of sales that no webhook told of."""

from __future__ import annotations

from services.notifier.facts import LINE_LENGTH, clean, whole
from shared.alerts import Facts


def recovered_lines(facts: Facts) -> list[str]:
    """Why sales were missed, how late they were booked, and which they were."""
    reasons, lines = facts.get("reasons"), list[str]()
    for reason, sales in reasons.items() if isinstance(reasons, dict) else ():
        lines.append(f"{whole(sales) or 0:,}: {clean(reason, LINE_LENGTH)}")
    if delay := whole(facts.get("delay")):
        lines.append(f"booked up to {_duration(delay)} late")
    first, last = (clean(facts.get(name), LINE_LENGTH) for name in ("first", "last"))
    if first and last:
        lines.append(f"session {first}" if first == last else f"sessions {first} to {last}")
    return lines


def _duration(seconds: int) -> str:
    """`2 d 3 h`, `14 h 5 min`, `20 min`, `40 s`."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days:,} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
