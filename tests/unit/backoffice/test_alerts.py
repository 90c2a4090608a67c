from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from services.backoffice.cli.alerts import app
from services.backoffice.operations.alerts import Seen, span, state
from shared.store.alerts import OpenAlert
from shared.vocabulary import AlertKind

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
FRESH = OpenAlert(1, AlertKind.LOW_STOCK, "prod_1/M", {}, NOW, None, None, None, None, "", None)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90m", timedelta(minutes=90)),
        ("3h", timedelta(hours=3)),
        ("2d", timedelta(days=2)),
        ("52w", timedelta(weeks=52)),
    ],
)
def test_a_span_is_a_number_and_a_unit(text: str, length: timedelta) -> None:
    """Minutes, hours, days and weeks are understood."""
    assert span(text) == length


@pytest.mark.parametrize("text", ["", "3", "h", "0h", "-3h", "3 h", "3H", "1.5h", "99999w", "٣h", "400d"])
def test_what_is_no_span_is_refused(text: str) -> None:
    """Anything else, and more than a year, is refused with a text that shows how it is written."""
    with pytest.raises(ValueError, match="90m, 3h, 2d or 1w"):
        span(text)


def test_the_state_of_an_alert_is_one_word() -> None:
    """The last thing that people said counts before what became of the mail."""
    told = replace(FRESH, mailed_at=NOW)
    assert state(FRESH, NOW) == "waits"
    assert state(told, NOW) == "told"
    assert state(replace(FRESH, failed_at=NOW), NOW) == "refused"
    assert state(replace(FRESH, dropped_at=NOW), NOW) == "overtaken"
    assert state(replace(told, acknowledged_at=NOW), NOW) == "acknowledged"
    assert state(replace(FRESH, snoozed_until=NOW + timedelta(seconds=1)), NOW) == "snoozed"
    assert state(replace(FRESH, snoozed_until=NOW), NOW) == "waits"


def test_an_alert_says_what_it_is_about_and_why() -> None:
    """A product is named beside its id, findings are counted; why is told as far as the facts say it."""
    facts = {"product": "prod_1", "name": "Mug", "on_hand": 3, "threshold": 5}
    low = Seen(replace(FRESH, facts=facts), "told")
    assert (low.kind, low.about, low.product) == ("low stock", "Mug (prod_1/M)", "prod_1")
    assert low.reason == "3 left then; the threshold is 5"
    counts = [{"cause": "edited", "findings": 2}, {"cause": "lost", "findings": 3}]
    found = replace(FRESH, kind=AlertKind.FINDING, subject="self:test", facts={"counts": counts})
    assert Seen(found, "told").about == "5 open"
    odd = replace(found, facts={"counts": [None, {"findings": "x"}], "product": 7, "reason": ["x"]})
    assert (Seen(odd, "told").about, Seen(odd, "told").product, Seen(odd, "told").reason) == (
        "0 open",
        None,
        "",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("snooze", "1"),
        ("snooze", "1", "--for", "3h", "--until", "2030-01-01"),
        ("snooze", "1", "--for", "soon"),
        ("snooze", "1", "--until", "2020-01-01"),
        ("snooze", "1", "--until", "tomorrow"),
        ("ack",),
        ("ack", "prod_1"),
    ],
)
def test_what_makes_no_sense_is_one_complaint(arguments: tuple[str, ...]) -> None:
    """A wrong time, a missing id: exit code 2, no traceback, and no database is asked."""
    ended = CliRunner().invoke(app, list(arguments))
    assert ended.exit_code == 2
    assert ("Usage: " in ended.output) != ("not a moment: 'tomorrow'" in ended.output)
