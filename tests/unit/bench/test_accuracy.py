from __future__ import annotations

import pytest

from bench.accuracy.corruptions import KINDS
from bench.accuracy.crowd import POPULAR, favoured
from bench.accuracy.verdict import Corruption, Told, findings
from bench.sync.finding import Finding
from bench.sync.shop import SIZES
from services.reconciler.anomalies import EXAMINED
from shared.findings import Cause
from shared.vocabulary import ProductId, Size, Variant

SPOILED = {
    ProductId(f"prod_{number}"): Corruption(name, kind.cause, kind.state)
    for number, (name, kind) in enumerate(KINDS.items())
}
RIGHT = [
    Told(number, product, one.cause, one.state) for number, (product, one) in enumerate(SPOILED.items(), 1)
]
FIRST, *OTHERS = RIGHT
AGAIN = Told(99, FIRST.product, Cause.NEVER_SEEN, "resolved")


def _missed(found: list[Finding]) -> list[str]:
    return [one.what for one in found if one.met is False]


def test_every_cause_that_a_verification_looks_for_is_tried() -> None:
    """The ways to spoil a product leave out no cause that the verification examines."""
    assert {kind.cause for kind in KINDS.values()} == EXAMINED


def test_what_is_found_by_the_second_run_counts() -> None:
    """Nothing is missed where each product has its one finding by the last run, whatever the first saw."""
    assert _missed(findings(SPOILED, [OTHERS, RIGHT])) == []


@pytest.mark.parametrize(
    "told",
    [
        OTHERS,
        [Told(1, FIRST.product, Cause.WRITE_LOST, FIRST.state), *OTHERS],
        [Told(1, FIRST.product, FIRST.cause, "acknowledged"), *OTHERS],
        [*RIGHT, AGAIN],
    ],
    ids=["missing", "another cause", "another state", "told twice"],
)
def test_what_is_not_found_once_with_its_cause_is_missed(told: list[Told]) -> None:
    """A product without a finding, with a wrong one, or with one too many is told by its kind."""
    found = findings(SPOILED, [RIGHT, told])
    assert _missed(found) == ["found within 2 runs, once, with its cause"]
    assert Finding("… not so", f"1 {SPOILED[FIRST.product].kind}") in found


def test_a_finding_of_a_sound_product_is_a_false_one() -> None:
    """What is told of a product that nobody spoiled counts as wrong, resolved or not."""
    told = [*RIGHT, Told(99, ProductId("prod_sound"), Cause.EDITED, "resolved")]
    assert _missed(findings(SPOILED, [told])) == ["findings of other products"]


def test_too_few_kinds_are_told() -> None:
    """Seven kinds of corruption are not enough."""
    some = dict(list(SPOILED.items())[:7])
    assert _missed(findings(some, [RIGHT[:7]])) == ["corruptions"]


@pytest.mark.parametrize("products", [1, 40, 2000])
def test_half_of_all_changes_are_of_the_popular_products(products: int) -> None:
    """Every size can be drawn, and one product in so many, at least one, has about half of the draws."""
    variants = [Variant(ProductId(f"prod_{n}"), Size(size)) for n in range(products) for size in SIZES]
    drawn = favoured(variants)
    assert set(drawn) == set(variants)
    popular = {variant.product for variant in variants[: max(1, products // POPULAR) * len(SIZES)]}
    share = sum(variant.product in popular for variant in drawn) / len(drawn)
    assert share == pytest.approx(0.5 if products > 1 else 1.0, abs=0.05)
