from __future__ import annotations

import pytest

from services.stock_worker.stock_alerts import LevelChange, decide, effective_threshold
from shared.alerts import OversoldSale
from shared.vocabulary import AccountKey, AlertKind, ProductId, SessionId, Size, Variant

ACCOUNT = AccountKey("self:test")
SHIRT = Variant(ProductId("prod_1"), Size("M"))
LOW, OUT, OVERSOLD = AlertKind.LOW_STOCK, AlertKind.OUT_OF_STOCK, AlertKind.OVERSOLD
Kinds = set[AlertKind]
NONE: Kinds = set()

TABLE: list[tuple[str, int | None, int, Kinds, Kinds, Kinds]] = [
    # what, before, after, open now -> raised, resolved (threshold 5)
    ("plenty stays quiet", 20, 10, NONE, NONE, NONE),
    ("crossing the threshold tells", 6, 5, NONE, {LOW}, NONE),
    ("falling on is no news", 5, 4, {LOW}, NONE, NONE),
    ("falling at a low level that was never told is told", 4, 3, NONE, {LOW}, NONE),
    ("the last one sold tells", 1, 0, {LOW}, {OUT}, NONE),
    ("from plenty to nothing tells of nothing left only", 9, 0, NONE, {OUT}, NONE),
    ("below zero is out of stock", 1, -2, NONE, {OUT}, NONE),
    ("out once told stays quiet", 1, 0, {OUT, LOW}, NONE, NONE),
    ("a restock above the threshold ends both", 0, 6, {OUT, LOW}, NONE, {OUT, LOW}),
    ("a restock to the threshold ends out and keeps low", 0, 5, {OUT, LOW}, NONE, {OUT}),
    ("a small restock from out to low opens low", 0, 3, {OUT}, {LOW}, {OUT}),
    ("a small restock that stays low is no news", 2, 4, NONE, NONE, NONE),
    ("a restock ends oversold too", 0, 1, {OUT, OVERSOLD, LOW}, NONE, {OUT, OVERSOLD}),
    ("after a restock it is armed again", 6, 2, NONE, {LOW}, NONE),
    ("first sight of a low number is no news", None, 2, NONE, NONE, NONE),
    ("first sight of nothing is no news", None, 0, NONE, NONE, NONE),
    ("nothing changed", 0, 0, NONE, NONE, NONE),
    ("less below zero is still out and no news", -3, -1, {OUT}, NONE, NONE),
]


@pytest.mark.parametrize(
    ("before", "after", "opened", "raised", "resolved"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_levels(*, before: int | None, after: int, opened: Kinds, raised: Kinds, resolved: Kinds) -> None:
    """A change of level raises and resolves exactly what its row of the table says."""
    change = LevelChange(SHIRT, "Shirt", before, after, threshold=5)
    alerts = decide(ACCOUNT, [change], {(kind, str(SHIRT)) for kind in opened})
    assert {alert.kind for alert in alerts.raised} == raised
    assert {key.kind for key in alerts.resolved} == resolved


def test_oversold_sales_are_handed_over_even_when_open() -> None:
    """Every oversold session is told, with its units, whatever is open already."""
    sales = (OversoldSale(SessionId("cs_1"), 2), OversoldSale(SessionId("cs_2"), 1))
    change = LevelChange(SHIRT, "Shirt", 0, 0, oversold=sales)
    (alert,) = decide(ACCOUNT, [change], {(OVERSOLD, str(SHIRT)), (OUT, str(SHIRT))}).raised
    assert alert.facts["sales"] == [{"session": "cs_1", "units": 2}, {"session": "cs_2", "units": 1}]


def test_alerts_of_another_variant_do_not_count() -> None:
    """What is open on one size says nothing about another."""
    change = LevelChange(SHIRT, "Shirt", 6, 5)
    assert decide(ACCOUNT, [change], {(LOW, "prod_1/L")}).raised[0].subject == "prod_1/M"


def test_a_threshold_of_zero_means_never_low() -> None:
    """A threshold of 0 tells only when nothing is left."""
    changes = [LevelChange(SHIRT, "Shirt", 2, 1, threshold=0), LevelChange(SHIRT, "Shirt", 1, 0, threshold=0)]
    assert [alert.kind for alert in decide(ACCOUNT, changes, ()).raised] == [OUT]


def test_facts_say_what_a_person_needs() -> None:
    """A low-stock alert carries product, name, size, units and threshold."""
    (alert,) = decide(ACCOUNT, [LevelChange(SHIRT, "Shirt", 6, 4, threshold=5)], ()).raised
    assert alert.facts == {"product": "prod_1", "name": "Shirt", "size": "M", "on_hand": 4, "threshold": 5}


@pytest.mark.parametrize(
    ("variant", "product", "expected"), [(0, 9, 0), (None, 9, 9), (None, 0, 0), (None, None, 7)]
)
def test_threshold_overrides(variant: int | None, product: int | None, expected: int) -> None:
    """A size's own threshold wins over its product's, and that over the shop's; 0 is a threshold."""
    assert effective_threshold(variant, product, 7) == expected
