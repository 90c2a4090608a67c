from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.stock_worker.returns import Likeness, Proposal, RefundKind, SoldLine, propose
from shared.vocabulary import LineItemId, ProductId, Size


def line(name: str, units: int, each: int, left: int | None = None) -> SoldLine:
    """A line of `units` that cost `each`."""
    still = units if left is None else left
    return SoldLine(LineItemId(name), ProductId(name), Size(""), units, still, units * each)


LINES = [line("shirt", 2, 2000), line("mug", 3, 900)]
PAID = 2 * 2000 + 3 * 900


def partial(amount: int, lines: list[SoldLine] | None = None) -> Proposal:
    """What a first refund of `amount` leads to."""
    return propose(lines or LINES, amount=amount, refunded=amount, paid=PAID)


def test_a_full_refund_is_about_everything() -> None:
    """Who gets all of their money back may have sent all of it back."""
    made = propose(LINES, amount=PAID, refunded=PAID, paid=PAID)
    assert made == Proposal(RefundKind.FULL, Likeness.ALL, (2, 3))


def test_the_refund_that_completes_others_is_about_what_is_left() -> None:
    """After one shirt came back with an earlier refund, the rest of the money is about the rest of the goods."""
    lines = [line("shirt", 2, 2000, left=1), line("mug", 3, 900)]
    made = propose(lines, amount=PAID - 2000, refunded=PAID, paid=PAID)
    assert made == Proposal(RefundKind.FULL, Likeness.ALL, (1, 3))


def test_an_amount_that_only_some_units_cost_names_them() -> None:
    """One shirt and two mugs are the only way to that amount."""
    assert partial(2000 + 2 * 900) == Proposal(RefundKind.PARTIAL, Likeness.EXACT, (1, 2))


def test_of_several_ways_the_one_with_the_fewest_lines_is_likely() -> None:
    """Two units of one line are likelier than one unit each of two lines."""
    lines = [line("a", 3, 1000), line("b", 1, 500), line("c", 1, 1500)]
    assert partial(2000, lines) == Proposal(RefundKind.PARTIAL, Likeness.LIKELY, (2, 0, 0))


def test_an_amount_that_no_units_cost_proposes_nothing() -> None:
    """A goodwill of five euros is about no goods; a person may say otherwise."""
    assert partial(500) == Proposal(RefundKind.PARTIAL, Likeness.UNKNOWN, (0, 0))


def test_what_came_back_already_is_not_proposed_again() -> None:
    """Both shirts are back, so an amount of one shirt is of no units any more."""
    lines = [line("shirt", 2, 2000, left=0), line("mug", 3, 900)]
    assert partial(2000, lines).likeness is Likeness.UNKNOWN


def test_a_line_whose_price_can_not_be_divided_evenly_is_rounded() -> None:
    """Three for ten euros: one of them costs 3.33, or 3.34; half of an odd amount may be rounded either way."""
    three = [SoldLine(LineItemId("x"), ProductId("x"), Size(""), 3, 3, 1000)]
    assert [partial(amount, three).units for amount in (332, 333, 334, 335)] == [(0,), (1,), (1,), (0,)]
    two = [SoldLine(LineItemId("x"), ProductId("x"), Size(""), 2, 2, 501)]
    assert [partial(amount, two).units for amount in (249, 250, 251, 252)] == [(0,), (1,), (1,), (0,)]


def test_too_many_ways_to_add_up_are_not_tried() -> None:
    """A huge session gets no likely lines instead of a worker that hangs."""
    many = [line(f"l{number}", 9, 100 + number) for number in range(40)]
    assert partial(101, many).likeness is Likeness.UNKNOWN


SOME = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 4), st.one_of(st.none(), st.integers(0, 5000))), max_size=4
)


@given(SOME, st.integers(0, 9000), st.integers(0, 9000))
def test_never_more_is_proposed_than_is_left(
    drawn: list[tuple[int, int, int | None]], amount: int, paid: int
) -> None:
    """Whatever the amounts are, each line's proposal lies between nothing and what is left of it."""
    lines = [
        SoldLine(LineItemId(str(number)), ProductId("p"), Size(""), units, min(units, left), cost)
        for number, (units, left, cost) in enumerate(drawn)
    ]
    made = propose(lines, amount=amount, refunded=amount, paid=paid)
    assert len(made.units) == len(lines)
    assert all(0 <= units <= one.left for units, one in zip(made.units, lines, strict=True))
