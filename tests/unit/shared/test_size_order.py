from __future__ import annotations

from random import Random

from shared.size_order import in_order
from shared.vocabulary import Size

LETTERS = [Size(s) for s in ("4XS", "XXS", "XS", "S", "s", "M", "L", "XL", "2XL", "XXL", "XXXL", "10XL")]
NUMBERS = [Size(s) for s in ("8", "10", "38", "38 EU", "38.5", "40,5", "41", "100 ml")]
WORDS = [Size(s) for s in ("", "L/XL", "Large", "MM", "One size", "XM", "large", "\u0663")]


def test_sizes_stand_as_people_name_them() -> None:
    """Letters from small to large, then numbers by their value, then the rest, however they came."""
    named = [*LETTERS, *NUMBERS, *WORDS]
    for seed in range(20):
        assert in_order(Random(seed).sample(named, len(named))) == named


def test_what_begins_with_a_number_is_by_the_number() -> None:
    """A bottle of 5L is no shirt, and 5 comes before 10."""
    assert in_order([Size("10L"), Size("5L"), Size("1.5L")]) == ["1.5L", "5L", "10L"]
