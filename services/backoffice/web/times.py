"""When a job runs, in words, as far as there are simple ones."""

from __future__ import annotations

import re
from typing import Final

_DAYS: Final = (
    "Sundays",
    "Mondays",
    "Tuesdays",
    "Wednesdays",
    "Thursdays",
    "Fridays",
    "Saturdays",
    "Sundays",
)
_EVERY: Final = re.compile(r"\*/([1-9][0-9]?) \* \* \* \*")
_HOURLY: Final = re.compile(r"([0-9]{1,2}) \* \* \* \*")
_AT: Final = re.compile(r"([0-9]{1,2}) ([0-9]{1,2}) \* \* (\*|[0-7])")


def spoken(expression: str) -> str:
    """`every 15 minutes`, `every day at 03:15`, `Mondays at 06:00`; five cron fields as they are, where that fails."""
    fields = " ".join(expression.split())
    if fields in {"* * * * *", "*/1 * * * *"}:
        return "every minute"
    if (every := _EVERY.fullmatch(fields)) and 60 % int(every[1]) == 0:
        return f"every {every[1]} minutes"
    if hourly := _HOURLY.fullmatch(fields):
        return f"every hour, at minute {int(hourly[1])}"
    if at := _AT.fullmatch(fields):
        days = "every day" if at[3] == "*" else _DAYS[int(at[3])]
        return f"{days} at {int(at[2]):02}:{int(at[1]):02}"
    return fields
