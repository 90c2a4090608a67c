from __future__ import annotations

import pytest

from services.stock_worker.sales import MAX_QUANTITY, Booking, UnbookableSession, book
from shared.stripe_api.objects import CheckoutSession, LineItem
from shared.vocabulary import LineItemId, ProductId
from tests.unit.stock_worker.sessions import (
    ACCOUNT,
    AD_HOC,
    BELT,
    CATALOGUE,
    GIFT,
    GONE,
    MUG,
    SHIRT,
    line,
    manifest,
    session,
)


def booked(sold: CheckoutSession) -> Booking:
    """The booking of `sold` against the test's catalogue."""
    return book(ACCOUNT, sold, CATALOGUE)


def taken(sold: CheckoutSession) -> list[tuple[str, str, int]]:
    """(product, size, delta) of every movement."""
    return [(m.product, m.size, m.delta) for m in booked(sold).movements]


def reasons(sold: CheckoutSession) -> list[str]:
    """Why lines are held for a person."""
    return [held.reason for held in booked(sold).unplaced]


@pytest.mark.parametrize(
    ("way", "sold"),
    [
        ("the line's metadata", session(line(SHIRT, 2, size="M"))),
        ("the price's metadata", session(line(SHIRT, 2, price_size="M"))),
        ("the manifest", session(line(SHIRT, 2), **manifest((SHIRT, "M", "2")))),
        ("the session's metadata", session(line(SHIRT, 2), size="M")),
        ("a custom field", session(line(SHIRT, 2), custom_size="M")),
    ],
)
def test_a_size_named_in_any_way_is_taken_off(way: str, sold: CheckoutSession) -> None:
    """Each way of naming a size leads to the same movement."""
    assert taken(sold) == [(SHIRT, "M", -2)], way


def test_the_only_size_needs_no_naming() -> None:
    """A product with one size is placed without a hint."""
    assert taken(session(line(BELT))) == [(BELT, "One", -1)]


def test_a_product_without_sizes_takes_from_plain_stock() -> None:
    """A product with the plain `stock` key is placed there, whatever size the session names."""
    assert taken(session(line(MUG, 3), size="M")) == [(MUG, "", -3)]


def test_the_line_wins_over_all_other_ways() -> None:
    """The line's own size is believed before the price's, the manifest's and the session's."""
    sold = session(
        line(SHIRT, size="S", price_size="M"), custom_size="L", size="L", **manifest((SHIRT, "L", "1"))
    )
    assert taken(sold) == [(SHIRT, "S", -1)]


def test_a_session_size_counts_only_for_a_single_sized_line() -> None:
    """With two sized lines the session's size says nothing, and both are held."""
    sold = session(line(SHIRT), line(BELT, 1), size="M")
    assert taken(sold) == [(BELT, "One", -1)]
    assert reasons(sold) == ["the sale does not say which size was sold"]


def test_a_session_size_ignores_goods_without_sizes() -> None:
    """A mug beside the shirt does not make the session's size ambiguous."""
    assert taken(session(line(SHIRT), line(MUG), size="M")) == [(SHIRT, "M", -1), (MUG, "", -1)]


def test_fault_33_an_unknown_size_is_held_and_its_neighbours_are_booked() -> None:
    """A size that the product lacks waits for a person; the other lines count."""
    sold = session(line(SHIRT, size="XXL"), line(MUG))
    assert taken(sold) == [(MUG, "", -1)]
    held = booked(sold).unplaced[0]
    assert (held.product, held.size_hint, held.quantity) == (SHIRT, "XXL", 1)
    assert held.source_key == "sale:self:test:cs_test_1:li_1"


def test_a_deleted_product_is_held() -> None:
    """A sale of a deleted product is kept for a person."""
    assert reasons(session(line(GONE))) == ["the product was deleted in Stripe"]


def test_a_product_that_nobody_knows_is_held() -> None:
    """A manifest that names an unknown product is kept for a person."""
    sold = session(line(AD_HOC, ad_hoc=True), **manifest(("prod_nowhere", "M", "1")))
    assert reasons(sold) == ["the product does not exist in Stripe"]


def test_goods_without_stock_are_none_of_our_business() -> None:
    """A catalogue product that keeps no stock is skipped, not held."""
    made = booked(session(line(GIFT)))
    assert (made.movements, made.unplaced, made.skipped) == ((), (), 1)


def test_an_ad_hoc_product_without_a_manifest_is_held() -> None:
    """An inline product that names nothing of the catalogue waits for a person."""
    assert len(reasons(session(line(AD_HOC, ad_hoc=True, size="M")))) == 1


def test_an_ad_hoc_line_is_placed_by_the_manifest() -> None:
    """The manifest links an inline product to the catalogue."""
    sold = session(line(AD_HOC, 2, ad_hoc=True), **manifest((SHIRT, "L", "2")))
    assert taken(sold) == [(SHIRT, "L", -2)]


def test_fault_42_an_adjusted_quantity_comes_from_the_line() -> None:
    """Where the customer changed the quantity, the line's counts, not the manifest's."""
    sold = session(line(AD_HOC, 5, ad_hoc=True), **manifest((SHIRT, "L", "2")))
    assert taken(sold) == [(SHIRT, "L", -5)]


def test_several_ad_hoc_lines_are_paired_by_quantity() -> None:
    """Inline lines find their entries by quantity, in whatever order they come."""
    sold = session(
        line(AD_HOC, 1, ad_hoc=True),
        line(AD_HOC, 2, ad_hoc=True),
        **manifest((SHIRT, "L", "2"), (MUG, "", "1")),
    )
    assert sorted(taken(sold)) == [(MUG, "", -1), (SHIRT, "L", -2)]


def test_ad_hoc_lines_that_fit_no_entry_are_never_guessed() -> None:
    """Two lines and two entries of other quantities could be either way round: a person decides."""
    sold = session(
        line(AD_HOC, 3, ad_hoc=True),
        line(AD_HOC, 4, ad_hoc=True),
        **manifest((SHIRT, "L", "2"), (MUG, "", "1")),
    )
    assert taken(sold) == []
    assert len(reasons(sold)) == 2


def test_a_shipping_line_beside_a_complete_manifest_is_skipped() -> None:
    """An inline line that the manifest does not list is no stock once every entry found its line."""
    sold = session(line(AD_HOC, 2, ad_hoc=True), line(AD_HOC, 1, ad_hoc=True), **manifest((SHIRT, "L", "2")))
    assert taken(sold) == [(SHIRT, "L", -2)]
    assert reasons(sold) == []


def test_what_a_full_manifest_has_no_room_for_is_held() -> None:
    """Sixteen entries fill a session's metadata: an ad-hoc line that none of them speaks for may be a seventeenth."""
    entries = [(SHIRT, "M", str(n)) for n in range(1, 17)]
    lines = [line(AD_HOC, n, ad_hoc=True) for n in range(1, 18)]
    made = booked(session(*lines, **manifest(*entries)))
    assert len(made.movements) == 16
    assert [held.quantity for held in made.unplaced] == [17]


def test_an_entry_never_speaks_for_another_product_that_keeps_stock() -> None:
    """The line of a tracked product that the manifest does not name stands for itself."""
    sold = session(line(BELT), line(AD_HOC, ad_hoc=True), **manifest((SHIRT, "M", "1")))
    assert sorted(taken(sold)) == [(BELT, "One", -1), (SHIRT, "M", -1)]


def test_a_product_whose_id_can_not_be_kept_is_held() -> None:
    """Shops may choose ids; what stocksync can't keep stock of is told to a person and not passed over."""
    assert reasons(session(line(ProductId("shirt.red")))) == [
        "the product has an id that stocksync can't keep stock of"
    ]


def test_one_product_twice_takes_both_sizes() -> None:
    """Two lines of one product take what each names."""
    sold = session(line(SHIRT, 1), line(SHIRT, 2), **manifest((SHIRT, "M", "2"), (SHIRT, "S", "1")))
    assert sorted(taken(sold)) == [(SHIRT, "M", -2), (SHIRT, "S", -1)]


def test_fault_31_a_quantity_of_0_takes_nothing() -> None:
    """A line that the customer emptied is skipped."""
    assert booked(session(line(SHIRT, 0, size="M"))).skipped == 1


@pytest.mark.parametrize("quantity", [None, -1, MAX_QUANTITY + 1])
def test_fault_31_a_senseless_quantity_books_nothing(quantity: int | None) -> None:
    """A quantity that can't be is refused, and nothing of the session is booked."""
    with pytest.raises(UnbookableSession):
        booked(session(line(MUG), line(SHIRT, quantity, size="M")))


def test_fault_33_a_line_without_a_price_is_held() -> None:
    """A line whose price is gone is kept for a person."""
    sold = session(LineItem(id=LineItemId("li_9"), quantity=1))
    assert len(reasons(sold)) == 1


def test_fault_30_every_line_gets_a_key_of_its_own() -> None:
    """250 lines make 250 movements under 250 source keys."""
    made = booked(session(*[line(ProductId(MUG)) for _ in range(250)]))
    assert len({m.source_key for m in made.movements}) == 250
