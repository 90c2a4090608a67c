from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.silence import Signs, Webhooks, judge

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SIX_HOURS = timedelta(hours=6)


def ago(hours: float | None) -> datetime | None:
    return None if hours is None else NOW - timedelta(hours=hours)


@pytest.mark.parametrize(
    ("heard", "sold", "awake", "found"),
    [
        (7, 1, 20, Webhooks.SILENT),
        (None, 1, 20, Webhooks.SILENT),
        (5, 1, 20, Webhooks.COME),
        (7, None, 20, Webhooks.NOT_KNOWN),  # a quiet night
        (7, 6.5, 20, Webhooks.NOT_KNOWN),
        (6.01, 5.99, 20, Webhooks.NOT_KNOWN),  # told of at the edge of the time
        (48, 1, None, Webhooks.NOT_KNOWN),  # the pipeline was off
        (48, 1, 0.5, Webhooks.NOT_KNOWN),  # sold while it was off
        (48, 0.3, 1, Webhooks.SILENT),  # sold since, and not told of
    ],
)
def test_silence_is_when_something_was_sold_and_nobody_told(
    heard: float | None, sold: float | None, awake: float | None, found: Webhooks
) -> None:
    """No webhook for six hours is silence only where a sale was made meanwhile and somebody was there to hear."""
    assert judge(Signs(NOW, ago(heard), ago(sold), ago(awake)), SIX_HOURS) is found


def test_nobody_can_know_while_sales_wait_unread() -> None:
    """With the stock worker down webhooks come and are not handled: that is no silence."""
    assert judge(Signs(NOW, ago(7), ago(1), ago(20), unread=True), SIX_HOURS) is Webhooks.NOT_KNOWN


TIMES = st.none() | st.floats(0, 100).map(ago)


@given(heard=TIMES, sold=TIMES, awake=TIMES)
def test_silence_is_never_claimed_while_webhooks_come_or_nobody_listens(
    heard: datetime | None, sold: datetime | None, awake: datetime | None
) -> None:
    """Whatever the times, silence needs a sale after the last webhook, after the start, and within the six hours."""
    if judge(Signs(NOW, heard, sold, awake), SIX_HOURS) is Webhooks.SILENT:
        assert sold is not None
        assert awake is not None
        assert sold > awake
        assert NOW - sold < SIX_HOURS
        assert heard is None or (sold > heard and NOW - heard > SIX_HOURS)
