from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from services.notifier.audience import AUDIENCES, URGENT, Audience, mailing_lists
from services.notifier.decide import (
    SEVERITY,
    backoff,
    digest,
    due,
    is_patient,
    seconds_to_wait,
    stock_shown,
)
from services.notifier.policy import Policy
from services.notifier.quiet import QuietHours
from services.notifier.words import WORDS, Tone
from shared.alerts import Waiting
from shared.vocabulary import AlertKind
from tests.unit.notifier.claimed import alert, claim, over, stock

POLICY = Policy()
LOW, OUT, OVERSOLD = AlertKind.LOW_STOCK, AlertKind.OUT_OF_STOCK, AlertKind.OVERSOLD

QUIET = {"alerts": 1, "abandoned": 0, "oldest": 60, "newest": 60, "retry_in": -50, "mails_last_hour": 0}
PACE: list[tuple[str, dict[str, float], float | None, float | None]] = [
    # what, differences to QUIET, seconds since the last mail -> seconds to wait
    ("nothing waits", {"alerts": 0}, None, None),
    ("one alert after a quiet time goes at once", {}, None, 0),
    ("a fresh alert waits for its neighbours", {"oldest": 0.5, "newest": 0.5}, None, 1.5),
    ("a stream of alerts does not hold up the mail for ever", {"oldest": 16, "newest": 0}, None, 0),
    ("the second mail of an hour waits a little", {"mails_last_hour": 1}, 1, 4),
    ("the third twice as long", {"mails_last_hour": 2}, 1, 9),
    ("a flood ends in a mail every quarter of an hour", {"mails_last_hour": 40}, 100, 800),
    ("long after the last mail it goes at once", {"mails_last_hour": 2}, 1000, 0),
    ("while the server is away everything waits", {"retry_in": 120}, None, 120),
    ("what a crash left goes at once", {"alerts": 0, "abandoned": 3}, 1, 0),
]


@pytest.mark.parametrize(
    ("differences", "since_last", "expected"), [row[1:] for row in PACE], ids=[row[0] for row in PACE]
)
def test_pace(differences: dict[str, float], since_last: float | None, expected: float | None) -> None:
    """A mail is due exactly when its row of the table says so."""
    waiting = Waiting(**{**QUIET, **differences}, since_last=since_last)  # pyright: ignore[reportArgumentType] - ints and floats by name
    assert seconds_to_wait(waiting, POLICY) == expected


def test_fault_98_what_was_over_before_it_could_be_told_is_not_told() -> None:
    """An alert that was resolved before its mail is dropped; what is open is told."""
    past, still = alert(LOW, "prod_1/M", resolved=True), alert(LOW, "prod_1/L")
    found = digest(claim(past, still), POLICY)
    assert found.told == (still,)
    assert found.over == (past,)


@pytest.mark.parametrize("kind", [OVERSOLD, AlertKind.UNPLACED_SALE])
def test_what_somebody_paid_for_is_always_told(kind: AlertKind) -> None:
    """Oversold and unplaced sales are told even when a restock came first: a buyer waits."""
    assert len(digest(claim(alert(kind, resolved=True)), POLICY).told) == 1


def test_out_of_stock_overtakes_low_stock_of_the_same_size() -> None:
    """One mail says of a size that it is out, not also that it is low; another size's low stays."""
    low, out, other = alert(LOW, "prod_1/M"), alert(OUT, "prod_1/M"), alert(LOW, "prod_1/L")
    assert digest(claim(low, out, other), POLICY).told == (out, other)


def test_out_of_stock_that_is_over_overtakes_nothing() -> None:
    """After a small restock the mail tells of the low stock that is left, not of the end that is past."""
    low, out = alert(LOW), alert(OUT, resolved=True)
    assert digest(claim(out, low), POLICY).told == (low,)


def test_the_gravest_comes_first_and_the_fewest_units_first() -> None:
    """A mail tells oversold before out before low, and of low stock the emptiest size first."""
    many, few = stock(LOW, "prod_1", units=4), stock(LOW, "prod_2", units=1)
    out, oversold = alert(OUT, "prod_3"), alert(OVERSOLD, "prod_4")
    assert digest(claim(many, few, out, oversold), POLICY).told == (oversold, out, few, many)


def test_every_kind_has_words_and_a_rank() -> None:
    """No kind of alert can be raised that a mail could not tell of."""
    assert set(WORDS) == set(AlertKind) == set(SEVERITY)


def test_backoff_grows_and_stays() -> None:
    """Attempts are ten seconds apart at first and a quarter of an hour in the end, for weeks."""
    waits = [backoff(claim(alert(attempts=n)), POLICY) for n in (1, 2, 3, 7, 8, 5000)]
    assert waits == [10, 30, 60, 900, 900, 900]


def test_patience_with_one_recipient_ends() -> None:
    """A recipient that is refused for now holds up the others for a few attempts only."""
    assert [is_patient(claim(alert(attempts=n)), POLICY) for n in (1, 3, 4, 5)] == [True, True, False, False]


ENDS: list[tuple[str, dict[str, float], float | None]] = [
    ("an end alone is in no hurry", {"over_newest": 20, "over_oldest": 20}, 40),
    ("a stream of ends does not hold up the mail for ever", {"over_newest": 0, "over_oldest": 700}, 0),
    ("an end rides with news", {"alerts": 1, "over_newest": 0, "over_oldest": 0}, 0),
    ("a pause holds for ends too", {"over_newest": 90, "over_oldest": 90, "mails_last_hour": 2}, 9),
]


@pytest.mark.parametrize(("differences", "expected"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_pace_of_ends(differences: dict[str, float], expected: float | None) -> None:
    """A mail that only says what is over is due exactly when its row says so."""
    since_last = 1 if differences.get("mails_last_hour") else None
    facts = {**QUIET, "alerts": 0, "over": 1, **differences}
    waiting = Waiting(**facts, since_last=since_last)  # pyright: ignore[reportArgumentType] - ints and floats by name
    assert seconds_to_wait(waiting, POLICY) == expected


def test_the_end_of_what_was_told_is_told_once_and_nothing_else_is() -> None:
    """Only an end that people wait for is told: they heard of it, it did not begin again, and it is a relief."""
    refused = over(AlertKind.STRIPE_REFUSED, "self:live")
    again = replace(over(LOW, "prod_2/M"), reopened=True)
    unheard = replace(over(LOW, "prod_3/M"), heard=False)
    paid, empty = over(OVERSOLD, "prod_4/M"), over(OUT, "prod_5/M", on_hand=0)
    found = digest(claim(refused, again, unheard, paid, empty), POLICY)
    assert found.ended == (refused,)
    assert found.told == ()
    assert found.over == (again, unheard, paid, empty)


def test_a_restock_is_one_line_for_each_size() -> None:
    """A size that was low and then out is said to be back in stock, not also to be restocked."""
    low, out, other = over(LOW, on_hand=9), over(OUT, on_hand=9), over(LOW, "prod_1/L", on_hand=7)
    assert digest(claim(low, out, other), POLICY).ended == (out, other)


def test_what_ended_while_it_was_snoozed_ends_as_told() -> None:
    """News that people heard of before, and that is over, is an end; additions of a paid sale stay news."""
    snoozed = replace(over(LOW), news=True)
    added = replace(over(OVERSOLD), news=True)
    found = digest(claim(snoozed, added), POLICY)
    assert (found.told, found.ended) == ((added,), (snoozed,))


def test_recovery_mails_can_be_turned_off() -> None:
    """With RECOVERY_MAILS=off an end is told to nobody."""
    found = digest(claim(over(LOW)), replace(POLICY, recoveries=False))
    assert found.is_empty
    assert len(found.over) == 1


def test_in_quiet_hours_only_what_cannot_wait_is_told() -> None:
    """At night the urgent kinds of a list go out, ends wait, and a crash is still cleaned up after."""
    (everybody,) = mailing_lists("a@b", dict.fromkeys(Audience, ("c@d",)))
    night = replace(POLICY, quiet=QuietHours(time(22), time(7), ZoneInfo("UTC")))
    at_night = due(everybody, night, datetime(2026, 11, 24, 23, tzinfo=UTC))
    assert set(at_night.news) == URGENT
    assert at_night.over == ()
    assert set(at_night.kinds) == set(AlertKind)
    by_day = due(everybody, night, datetime(2026, 11, 24, 12, tzinfo=UTC))
    assert set(by_day.news) == set(by_day.over) == set(AlertKind)


def test_every_kind_has_an_audience_and_what_is_urgent_is_grave() -> None:
    """Somebody hears of each kind; what breaks quiet hours looks grave in the mail."""
    assert set(AUDIENCES) == set(AlertKind)
    assert {WORDS[kind].tone for kind in URGENT} == {Tone.GRAVE}


def test_only_what_a_mail_spells_out_needs_its_pace() -> None:
    """Of a flood the pace of the first few of each stock kind is looked up, of nothing else."""
    flood = [stock(LOW, f"prod_{n}") for n in range(100)]
    found = digest(claim(*flood, stock(OUT, "prod_x"), alert(OVERSOLD)), POLICY)
    wanted = stock_shown(found, POLICY)
    assert len(wanted) == POLICY.shown_per_kind + 1
    assert ("self:live", "prod_x", "M") in wanted.values()
