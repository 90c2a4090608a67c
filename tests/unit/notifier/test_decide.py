from __future__ import annotations

import pytest

from services.notifier.decide import SEVERITY, backoff, digest, is_patient, seconds_to_wait
from services.notifier.policy import Policy
from services.notifier.words import WORDS
from shared.alerts import Waiting
from shared.vocabulary import AlertKind
from tests.unit.notifier.claimed import alert, claim, stock

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
    over, still = alert(LOW, "prod_1/M", resolved=True), alert(LOW, "prod_1/L")
    found = digest(claim(over, still))
    assert found.told == (still,)
    assert found.over == (over,)


@pytest.mark.parametrize("kind", [OVERSOLD, AlertKind.UNPLACED_SALE])
def test_what_somebody_paid_for_is_always_told(kind: AlertKind) -> None:
    """Oversold and unplaced sales are told even when a restock came first: a buyer waits."""
    assert len(digest(claim(alert(kind, resolved=True))).told) == 1


def test_out_of_stock_overtakes_low_stock_of_the_same_size() -> None:
    """One mail says of a size that it is out, not also that it is low; another size's low stays."""
    low, out, other = alert(LOW, "prod_1/M"), alert(OUT, "prod_1/M"), alert(LOW, "prod_1/L")
    assert digest(claim(low, out, other)).told == (out, other)


def test_out_of_stock_that_is_over_overtakes_nothing() -> None:
    """After a small restock the mail tells of the low stock that is left, not of the end that is past."""
    low, out = alert(LOW), alert(OUT, resolved=True)
    assert digest(claim(out, low)).told == (low,)


def test_the_gravest_comes_first_and_the_fewest_units_first() -> None:
    """A mail tells oversold before out before low, and of low stock the emptiest size first."""
    many, few = stock(LOW, "prod_1", units=4), stock(LOW, "prod_2", units=1)
    out, oversold = alert(OUT, "prod_3"), alert(OVERSOLD, "prod_4")
    assert digest(claim(many, few, out, oversold)).told == (oversold, out, few, many)


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
