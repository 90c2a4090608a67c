from __future__ import annotations

import pytest

from services.backoffice.web.times import spoken


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("*/15 * * * *", "every 15 minutes"),
        ("* * * * *", "every minute"),
        ("7 * * * *", "every hour, at minute 7"),
        ("15 3 * * *", "every day at 03:15"),
        ("0  6 * * 1", "Mondays at 06:00"),
        ("45 4 * * 7", "Sundays at 04:45"),
        ("*/7 * * * *", "*/7 * * * *"),
        ("0 6 1 * *", "0 6 1 * *"),
        ("0 6 * * 1-5", "0 6 * * 1-5"),
    ],
)
def test_times_are_words_where_there_are_simple_ones(expression: str, words: str) -> None:
    """Every so many minutes, hours, days and weekdays are spoken; anything else stays five fields."""
    assert spoken(expression) == words
