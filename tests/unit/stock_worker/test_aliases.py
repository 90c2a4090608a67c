from __future__ import annotations

import pytest

from services.stock_worker.sales import Booking, book
from shared.aliases import Alias, Aliases, Told, told
from shared.stripe_api.objects import CheckoutSession, LineItem
from shared.vocabulary import Size
from tests.unit.stock_worker.sessions import (
    ACCOUNT,
    AD_HOC,
    CATALOGUE,
    GONE,
    MUG,
    SHIRT,
    line,
    manifest,
    session,
)

M = Alias(3, SHIRT, Size("M"), "anna")
OF_M = (SHIRT, "M", -1, "placed by alias 3, which anna taught")


def booked(sold: CheckoutSession, aliases: Aliases) -> Booking:
    """The booking against the test's catalogue, by what people taught."""
    return book(ACCOUNT, sold, CATALOGUE, aliases)


def taken(made: Booking) -> list[tuple[str, str, int, str]]:
    """(product, size, delta, why) of every movement."""
    return [(m.product, m.size, m.delta, m.reason) for m in made.movements]


def custom(name: str, size: str | None = None) -> LineItem:
    """An ad-hoc line that is called so."""
    return line(AD_HOC, ad_hoc=True, size=size).model_copy(update={"description": name})


@pytest.mark.parametrize(
    ("says", "sold"),
    [
        (told(SHIRT, "", "Medium-ish"), session(line(SHIRT, size="Medium-ish"))),
        (told(SHIRT, "", "Medium-ish"), session(line(SHIRT), size="Medium-ish")),
        (told(SHIRT, "", None), session(line(SHIRT))),
        (told(GONE, "", "M"), session(line(GONE, size="M"))),
        (told("prod_nowhere", "", "M"), session(custom("Tee"), **manifest(("prod_nowhere", "M", "1")))),
        (told(None, "blue tee", "M"), session(custom(" Blue  TEE ", "M"))),
        (told(None, "Blue tee", None), session(custom("Blue Tee"))),
        (told(None, "Blue tee", "M"), session(custom("Blue Tee"), custom_size="M")),
    ],
)
def test_a_line_that_says_what_was_taught_is_placed_as_a_sale_that_says_why(
    says: Told, sold: CheckoutSession
) -> None:
    """By the product that it named or else by its name, and by its size; without the alias it is held."""
    aliases = {says: M}
    assert taken(booked(sold, aliases)) == [OF_M]
    assert booked(sold, aliases).unplaced == ()
    assert len(booked(sold, {}).unplaced) == 1


@pytest.mark.parametrize(
    "sold",
    [
        session(line(SHIRT, size="S")),
        session(line(MUG)),
        session(line(AD_HOC, ad_hoc=True), **manifest((SHIRT, "S", "1"))),
    ],
)
def test_what_the_sale_itself_says_goes_first(sold: CheckoutSession) -> None:
    """A line that a rule places is placed by that rule, whatever was taught of such lines."""
    aliases = {told(p, "", s): M for p in (SHIRT, MUG, AD_HOC) for s in ("S", None)}
    assert taken(booked(sold, aliases)) == taken(booked(sold, {}))


@pytest.mark.parametrize(
    "sold",
    [
        session(line(SHIRT, size="Large-ish")),
        session(line(SHIRT)),
        session(line(GONE, size="Medium-ish")),
        session(custom("Blue shirt", "Medium-ish")),
    ],
)
def test_another_product_name_or_size_is_another_line(sold: CheckoutSession) -> None:
    """What differs in anything waits for a person, with the reason that it would have had."""
    aliases = {told(SHIRT, "", "Medium-ish"): M, told(None, "Red shirt", "Medium-ish"): M}
    assert booked(sold, aliases) == booked(sold, {})
    assert len(booked(sold, aliases).unplaced) == 1


@pytest.mark.parametrize(
    "sold",
    [
        session(line(SHIRT), line(SHIRT), size="L"),
        session(line(SHIRT), line(SHIRT), custom_size="L"),
        session(custom("Tee"), line(SHIRT, size="S"), size="L"),
        session(line(SHIRT, 3), line(SHIRT, 4), **manifest((SHIRT, "S", "1"), (SHIRT, "L", "2"))),
    ],
)
def test_a_session_that_names_sizes_for_nobody_knows_which_line_is_no_line_without_a_size(
    sold: CheckoutSession,
) -> None:
    """What was taught of lines without a size is not for them: they are vague, and held."""
    made = booked(sold, {told(SHIRT, "", None): M, told(None, "Tee", None): M})
    assert [m.reason for m in made.movements if m.reason] == []
    assert made.unplaced
    assert all(held.vague for held in made.unplaced)


def test_a_held_line_keeps_what_it_says() -> None:
    """Its name and its size, from wherever the session gives them, for the next one to be recognised by."""
    held = booked(session(custom("Blue Tee"), custom_size="M"), {}).unplaced[0]
    assert (held.name, held.size_hint, held.vague) == ("Blue Tee", "M", False)
    held = booked(session(line(GONE)), {}).unplaced[0]
    assert (held.product, held.size_hint, held.vague) == (GONE, None, False)


def test_a_source_key_is_the_same_however_a_line_was_placed() -> None:
    """The line that was held and the line that an alias places would be one movement."""
    sold = session(line(SHIRT, size="Medium-ish"))
    (held,) = booked(sold, {}).unplaced
    (moved,) = booked(sold, {told(SHIRT, "", "Medium-ish"): M}).movements
    assert moved.source_key == held.source_key
