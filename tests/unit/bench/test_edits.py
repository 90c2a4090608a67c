from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from bench.sync import edits
from bench.sync.edits import Day, Step
from bench.sync.finding import equal
from bench.sync.ledger import Ledger
from bench.sync.requests_log import RequestsLog
from bench.sync.shop import Outcome
from shared.vocabulary import MovementKind, ProductId, Size, Variant

SHIRT = [Variant(ProductId("prod_1"), Size(size)) for size in "SML"]
DAY = Day((Step(0.1, SHIRT[0]), Step(0.2, SHIRT[0], 7), Step(0.3, SHIRT[0], -3), Step(0.4, SHIRT[1], 5)))


RIGHT = dict.fromkeys(SHIRT, 10)


def _verdicts(ledger: Ledger) -> dict[str, bool | None]:
    return {
        finding.what: finding.met
        for finding in edits.findings(DAY, Outcome(RIGHT, RIGHT, RequestsLog(())), ledger)
    }


def _ledger(trampled: int = 5) -> Ledger:
    units = {
        MovementKind.SALE: Counter({SHIRT[0]: -1}),
        MovementKind.EXTERNAL: Counter({SHIRT[0]: 4}),
        MovementKind.OVERWRITTEN: Counter({SHIRT[1]: trampled}),
    }
    return Ledger(units, Counter(dict.fromkeys(units, 1)))


def test_edits_that_were_seen_as_one_are_all_there() -> None:
    """Two edits of a size may share one movement; the sums by size are what counts."""
    assert False not in _verdicts(_ledger()).values()


def test_an_edit_that_is_missing_in_the_ledger_is_found() -> None:
    """A lost edit is told, though the numbers in Stripe look right."""
    verdicts = _verdicts(_ledger(trampled=0))
    assert verdicts["sizes whose edits are movements of their own"] is False


def test_a_wrong_number_is_found() -> None:
    """A size that shows another number than intended, or none, is told."""
    assert equal(Outcome(RIGHT, RIGHT, RequestsLog(()))).met is True
    found = equal(Outcome({**RIGHT, SHIRT[0]: 9}, {**RIGHT, SHIRT[1]: 12}, RequestsLog(())))
    assert (found.met, found.figure) == (False, "2 wrong by 3 units")


@pytest.mark.parametrize("seed", range(5))
def test_an_old_form_takes_no_other_edit_back(seed: int) -> None:
    """Between loading and saving an old form nobody edits that product; the day has every sale and edit."""
    day = edits.plan(SHIRT, (300, 40), 10.0, Random(seed))
    assert day.sold.total() == 300
    assert {variant.product for variant in day.first} == {variant.product for variant in SHIRT}
    assert len(day.edits) == 40
    assert day == edits.plan(SHIRT, (300, 40), 10.0, Random(seed))
    for form in (edit for edit in day.edits if edit.loaded is not None):
        assert form.loaded is not None
        assert not [edit for edit in day.edits if edit is not form and form.loaded <= edit.at <= form.at]
