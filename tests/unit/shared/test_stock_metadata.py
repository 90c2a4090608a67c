from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import marker
from shared.stock_metadata import read, stock_key, unfit, with_sizes
from shared.vocabulary import MAX_UNITS, PLAIN, ProductId, Size, account_key, parse_units


def test_sizes_are_read_with_their_numbers() -> None:
    """Listed sizes, spaces ignored, lead to their own keys; one that is listed twice counts once."""
    sheet = read({"sizes": " S, M ,,S", "stock_S": "3", "stock_M": "0", "stock_XL": "9"})
    assert dict(sheet.units) == {"S": 3, "M": 0}


def test_a_product_without_sizes_has_plain_stock() -> None:
    """`stock` alone is the plain size; beside `sizes` it says nothing."""
    assert dict(read({"stock": "4"}).units) == {PLAIN: 4}
    assert dict(read({"sizes": "S", "stock": "4", "stock_S": "1"}).units) == {"S": 1}


def test_a_product_with_neither_is_not_tracked() -> None:
    """Other metadata does not make stock."""
    assert not read({"category": "gift", "stock_S": "3"}).tracked
    assert not read({"sizes": " , "}).tracked


def test_a_listed_size_without_a_key_is_missing() -> None:
    """A size whose number was never written is neither 0 nor unreadable."""
    sheet = read({"sizes": "S,M", "stock_S": "1"})
    assert (sheet.missing, dict(sheet.unreadable)) == (("M",), {})


@given(st.integers(0, MAX_UNITS))
def test_every_number_in_range_is_read_back(units: int) -> None:
    """What we write is what we read."""
    assert parse_units(str(units)) == units


@given(st.text(max_size=12))
def test_only_canonical_numbers_are_numbers(text: str) -> None:
    """Whatever is read as a number is written the same way again."""
    units = parse_units(text)
    assert units is None or str(units) == text


def test_keys_follow_the_shops_habit() -> None:
    """The key of a size, and of stock without one."""
    assert (stock_key(Size("M")), stock_key(PLAIN)) == ("stock_M", "stock")


@given(st.dictionaries(st.text(min_size=1, max_size=5).map(Size), st.integers(0, 99), max_size=4))
def test_a_marker_survives_being_written_and_read(values: dict[Size, int]) -> None:
    """A stamp's text parses to the stamp, and the order of sizes does not matter."""
    stamp = marker.stamp("abc", 7, ProductId("prod_1"), values)
    assert marker.parse(str(stamp)) == stamp
    assert stamp == marker.stamp("abc", 7, ProductId("prod_1"), dict(reversed(values.items())))


def test_a_marker_binds_product_and_values() -> None:
    """Another product or another value makes another checksum."""
    stamps = {
        str(marker.stamp("abc", 7, ProductId(product), {Size("S"): units}))
        for product in ("prod_1", "prod_2")
        for units in (1, 2)
    }
    assert len(stamps) == 4


@pytest.mark.parametrize(
    "text", [None, "", "1:abc:7", "2:abc:7:00000000", "1:abc:x:00000000", "1:abc:7:0000000g"]
)
def test_anything_else_is_no_marker(text: str | None) -> None:
    """Missing, cut and mistyped markers are told apart from real ones."""
    assert marker.parse(text) is None


def test_accounts_and_modes_have_keys_of_their_own() -> None:
    """Live and test of one account, and two accounts, never share a key."""
    keys = {account_key(account, livemode=live) for account in (None, "acct_1") for live in (True, False)}
    assert keys == {"self:live", "self:test", "acct_1:live", "acct_1:test"}


SHIRT = {"sizes": "S, M,", "stock_S": "3", "stock_M": "4", "color": "red", "stock_rev": "1:a:1:00000000"}


def test_more_sizes_touch_nothing_that_is_there() -> None:
    """The list gains the names and each its own key: no marker, and no number of a size that is there."""
    more = with_sizes(SHIRT, {Size("L"): 5, Size("XL"): 0})
    assert more == {"sizes": "S, M,L,XL", "stock_L": "5", "stock_XL": "0"}
    assert read({**SHIRT, **more}).units == {"S": 3, "M": 4, "L": 5, "XL": 0}


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({"stock": "3"}, "keeps no stock by size"),
        ({"sizes": "S,L", "stock_S": "3"}, "Stripe shows L by now"),
        ({"sizes": "S", "stock_S": "3", "stock_L": "x"}, "Stripe shows L by now"),
        ({"sizes": "x" * 499}, "is full"),
        ({"sizes": "S", **{f"key{n}": "x" for n in range(49)}}, "is full"),
    ],
)
def test_sizes_that_have_no_place_are_refused(metadata: dict[str, str], complaint: str) -> None:
    """Nothing is sent that Stripe would refuse, or that would change a size that is there."""
    with pytest.raises(ValueError, match=complaint):
        with_sizes(metadata, {Size("L"): 5})


@pytest.mark.parametrize("name", ["", " S", "a,b", "[S", "S]", "a\nb", "a\0", "rev", "x" * 35])
def test_a_name_that_would_not_be_read_back_fits_no_size(name: str) -> None:
    """Each is told why."""
    assert unfit(Size(name))


@given(st.text(min_size=1, max_size=36).filter(lambda name: not unfit(Size(name))))
def test_a_name_that_fits_is_read_back_as_one_size(name: str) -> None:
    """Whatever is created is found under its own name, within Stripe's limits."""
    more = with_sizes({"sizes": "first", "stock_first": "1"}, {Size(name): 7}) if name != "first" else {}
    assert read({"stock_first": "1", "sizes": "first", **more}).units.get(Size(name)) in {7, 1}
    assert all(len(key) <= 40 for key in more)
