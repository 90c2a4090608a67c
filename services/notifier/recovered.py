"""What is said of sales that no webhook told of."""

from __future__ import annotations

from services.notifier.facts import LINE_LENGTH, clean, duration, whole
from shared.alerts import Facts


def recovered_lines(facts: Facts) -> list[str]:
    """Why sales were missed, how late they were booked, and which they were."""
    reasons, lines = facts.get("reasons"), list[str]()
    for reason, sales in reasons.items() if isinstance(reasons, dict) else ():
        lines.append(f"{whole(sales) or 0:,}: {clean(reason, LINE_LENGTH)}")
    if delay := whole(facts.get("delay")):
        lines.append(f"booked up to {duration(delay)} late")
    first, last = (clean(facts.get(name), LINE_LENGTH) for name in ("first", "last"))
    if first and last:
        lines.append(f"session {first}" if first == last else f"sessions {first} to {last}")
    return lines
