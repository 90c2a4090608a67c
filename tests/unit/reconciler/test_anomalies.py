from __future__ import annotations

from dataclasses import replace

import pytest

from services.reconciler.anomalies import anomalies, ending, weigh
from shared.findings import SHOWS, WORDS, Cause, command
from shared.verification import Look, MarkerVerdict, Shown, SizeSeen, from_json, to_json
from shared.vocabulary import ProductId, Size

SHIRT = ProductId("prod_shirt")
S, M = Size("S"), Size("M")
GOOD = Look(
    Shown.PRODUCT,
    "tracked",
    "Shirt",
    marker="m4",
    sizes=(SizeSeen(S, 10, 10, "10"), SizeSeen(M, 5, 5, "5")),
)
EDITED = replace(GOOD, sizes=(SizeSeen(S, 10, 30, "30"), GOOD.sizes[1]))

CASES: dict[str, tuple[Look, set[tuple[Cause, str]]]] = {
    "nothing": (GOOD, set()),
    "edited": (EDITED, {(Cause.EDITED, "S")}),
    "a new size": (replace(GOOD, sizes=(SizeSeen(S, None, 7, "7"),)), {(Cause.EDITED, "S")}),
    "a mistyped one": (replace(GOOD, sizes=(SizeSeen(S, 10, None, "3 pcs"),)), {(Cause.NOT_A_NUMBER, "S")}),
    "one taken away": (replace(GOOD, sizes=(SizeSeen(S, 10, None, None),)), {(Cause.SIZE_REMOVED, "S")}),
    "one that never had a number": (replace(GOOD, sizes=(SizeSeen(S, None, None, None),)), set()),
    "no marker": (replace(GOOD, marker="", verdict=MarkerVerdict.MISSING), {(Cause.MARKER_MISSING, "")}),
    "an old form": (replace(GOOD, verdict=MarkerVerdict.OLDER), {(Cause.OLD_FORM, "")}),
    "a typed marker": (replace(GOOD, verdict=MarkerVerdict.CHANGED), {(Cause.MARKER_CHANGED, "")}),
    "a foreign one": (replace(GOOD, verdict=MarkerVerdict.FOREIGN), {(Cause.MARKER_FOREIGN, "")}),
    "a write that nobody asks for": (replace(GOOD, unwritten=True), {(Cause.WRITE_LOST, "")}),
    "never seen": (replace(GOOD, state=""), {(Cause.NEVER_SEEN, "")}),
    "gone": (Look(Shown.GONE, "tracked"), {(Cause.PRODUCT_DELETED, "")}),
    "gone, and closed": (Look(Shown.GONE, "closed"), set()),
    "under way": (replace(EDITED, waiting=True), set()),
    "busy": (Look(Shown.BUSY), set()),
}


@pytest.mark.parametrize("case", CASES)
def test_a_look_tells_what_is_wrong_and_why(case: str) -> None:
    """Everything that can be wrong has its cause, and what is under way has none."""
    look, expected = CASES[case]
    assert {(one.cause, one.size) for one in anomalies(look)} == expected


@pytest.mark.parametrize("look", [GOOD, EDITED, Look(Shown.GONE, "tracked"), Look(Shown.BUSY)])
def test_a_look_is_kept_as_it_was(look: Look) -> None:
    """What the stock worker keeps of a look is what the verification reads."""
    assert from_json(to_json(look)) == look


def test_only_what_both_looks_saw_in_the_same_way_is_confirmed() -> None:
    """The same difference twice is a finding, one that changed or went is in transit, an absent answer is neither."""
    further = replace(EDITED, sizes=(SizeSeen(S, 10, 31, "31"), GOOD.sizes[1]))
    a, b, c, d, e = (ProductId(f"prod_{name}") for name in "abcde")
    first = {a: EDITED, b: EDITED, c: EDITED, d: GOOD}
    second = {a: EDITED, b: further, c: GOOD}
    found = weigh([a, b, c, d, e], first, second)
    assert [(one.product, one.cause, one.size) for one in found.confirmed] == [(a, Cause.EDITED, "S")]
    assert found.in_transit == 4
    assert found.undecided == {b, e}


def test_the_same_difference_under_another_marker_is_another_one() -> None:
    """Two edits by the same number with a write of ours between them do not confirm each other."""
    found = weigh([SHIRT], {SHIRT: EDITED}, {SHIRT: replace(EDITED, marker="m5")})
    assert found.confirmed == ()


def test_every_cause_has_words_and_a_command() -> None:
    """Whatever is found, people are told what happened and the one command, and a command that only shows says so."""
    assert set(WORDS) == set(Cause)
    assert all(command(cause, 7, "prod_1").startswith("stocksync ") for cause in Cause)
    assert command(Cause.MARKER_FOREIGN, 7, "prod_1") == "stocksync takeover prod_1"
    only_show = {"stocksync audit", "stocksync doctor"}
    assert {cause for cause in Cause if WORDS[cause].purpose == SHOWS} == {
        cause for cause in Cause if WORDS[cause].command in only_show
    }


def test_an_ending_names_the_movements_that_followed() -> None:
    """A finding that a sync mended says by which movement; another says that it is gone."""
    assert ending(Cause.EDITED, [(17, "external", "S", 20)]) == (
        "the ledger followed: external +20 of size S (movement 17)"
    )
    assert ending(Cause.MARKER_MISSING, []) == "stock_rev was written anew"
    assert ending(Cause.NOT_A_NUMBER, []) == "no longer seen"
