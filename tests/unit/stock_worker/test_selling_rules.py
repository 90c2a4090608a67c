from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.stock_worker import selling_rules as rules
from services.stock_worker.selling_rules import Attention, Standing, Step, Stock
from shared.selling import Offer, Stop, StopState
from shared.stripe_api.objects import CustomField, LineItem, PaymentLink
from shared.vocabulary import PLAIN, ProductId, Size, Variant
from tests.unit.stock_worker.sessions import (
    AD_HOC,
    BELT,
    CATALOGUE,
    GIFT,
    MUG,
    SHIRT,
    line,
    manifest,
    session,
)

S, M, L = Size("S"), Size("M"), Size("L")
STOCK: Stock = {SHIRT: {S: 0, M: 3, L: -1}, MUG: {PLAIN: 0}, BELT: {Size("One"): None}}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
STOP = Stop(
    1, Offer.LINK, "plink_1", SHIRT, S, StopState.STOPPED, "", "", "selling-abc", 1, NOW, NOW, None, due=True
)


def link(*lines: LineItem, chooser: bool = False, **metadata: str) -> PaymentLink:
    """An active link of `lines`; a `chooser` asks for the size."""
    numbered = tuple(one.model_copy(update={"id": f"li_{n}"}) for n, one in enumerate(lines, 1))
    fields = (CustomField(key="size"),) if chooser else ()
    return PaymentLink(id="plink_1", active=True, metadata=metadata, custom_fields=fields, lines=numbered)


def taken(of: PaymentLink) -> list[tuple[str, str]]:
    """What customers of a link take."""
    return [(what.product, what.size) for what in rules.takes(rules.opened(of), CATALOGUE)]


@pytest.mark.parametrize(
    ("product", "size", "stands"),
    [
        (SHIRT, S, Standing.GONE),
        (SHIRT, M, Standing.THERE),
        (SHIRT, L, Standing.GONE),
        (SHIRT, Size("XL"), Standing.UNKNOWN),
        (SHIRT, PLAIN, Standing.THERE),
        (MUG, PLAIN, Standing.GONE),
        (BELT, Size("One"), Standing.UNKNOWN),
        (BELT, PLAIN, Standing.UNKNOWN),
        (GIFT, PLAIN, Standing.UNKNOWN),
    ],
)
def test_a_size_is_gone_at_zero_or_below_and_a_product_with_its_last_size(
    product: ProductId, size: Size, stands: Standing
) -> None:
    """What has no number, or is not known, is neither gone nor there."""
    assert rules.standing(Variant(product, size), STOCK) is stands


def test_a_product_of_which_one_size_can_not_be_read_is_not_gone() -> None:
    """Nobody knows whether there is something of that size, so nothing is stopped or put back for it."""
    assert rules.standing(Variant(SHIRT, PLAIN), {SHIRT: {S: 0, M: None}}) is Standing.UNKNOWN
    assert rules.standing(Variant(SHIRT, PLAIN), {SHIRT: {S: 1, M: None}}) is Standing.THERE


def test_gone_names_sizes_and_whole_products() -> None:
    """A product appears by itself once all of its sizes are gone."""
    assert rules.gone(STOCK) == {Variant(SHIRT, S), Variant(SHIRT, L), Variant(MUG, PLAIN)}
    assert Variant(SHIRT, PLAIN) in rules.gone({SHIRT: {S: 0, M: 0}})


@pytest.mark.parametrize(
    ("way", "of"),
    [
        ("the line's metadata", link(line(SHIRT, size="M"))),
        ("the price's metadata", link(line(SHIRT, price_size="M"), chooser=True)),
        ("the link's metadata", link(line(SHIRT), size="M")),
        ("the manifest", link(line(AD_HOC)).model_copy(update={"metadata": manifest((SHIRT, "M", "1"))})),
    ],
)
def test_a_link_takes_the_size_that_a_sale_of_it_would(way: str, of: PaymentLink) -> None:
    """Each way of naming a size counts for a link as for a sale."""
    assert taken(of) == [(SHIRT, "M")], way


def test_a_link_whose_customers_choose_takes_any_size() -> None:
    """Nothing names the size, with a custom field or without one; a product with one size needs no naming."""
    assert taken(link(line(SHIRT), chooser=True)) == [(SHIRT, "")]
    assert taken(link(line(SHIRT))) == [(SHIRT, "")]
    assert taken(link(line(BELT), chooser=True)) == [(BELT, "One")]


def test_a_link_takes_every_line_and_nothing_that_nobody_keeps() -> None:
    """Goods without stock, a size that does not exist and a quantity that makes no sense are no reasons."""
    assert taken(link(line(SHIRT, size="S"), line(MUG), line(GIFT))) == [(SHIRT, "S"), (MUG, "")]
    assert taken(link(line(SHIRT, size="XXL"))) == []
    assert taken(link(line(SHIRT, None, size="S"))) == []


def test_an_open_session_takes_what_it_would_once_paid() -> None:
    """The reason to expire it is the first line that is gone."""
    takes = rules.takes(session(line(SHIRT, size="M"), line(SHIRT, size="L")), CATALOGUE)
    assert rules.reason(takes, STOCK) == Variant(SHIRT, L)
    assert rules.reason(takes[:1], STOCK) is None


@pytest.mark.parametrize(
    ("stop", "asked"),
    [
        (replace(STOP, state=StopState.PLANNED), Step.FINISH_STOP),
        (replace(STOP, state=StopState.PLANNED, due=False), Step.WAIT),
        (replace(STOP, state=StopState.RESUMING), Step.FINISH_RESUME),
        (STOP, Step.WAIT),
        (replace(STOP, size=M), Step.REVIEW),
        (replace(STOP, product=BELT, size=PLAIN), Step.WAIT),
        (replace(STOP, wanted_by="ann"), Step.RESUME_BY_HAND),
        (replace(STOP, state=StopState.LEFT), Step.WAIT),
        (replace(STOP, state=StopState.LEFT, size=M), Step.REVIEW),
        (replace(STOP, state=StopState.RESUMED, wanted_by="ann"), Step.WAIT),
        (replace(STOP, state=StopState.RESUMED, wanted_by="ann", size=M), Step.REVIEW),
    ],
)
def test_a_stop_asks_for_what_its_state_and_the_stock_say(stop: Stop, asked: Step) -> None:
    """Calls are finished first, then what people want, then what is in stock again; the unknown waits."""
    assert rules.step(stop, STOCK) is asked


def test_the_keys_of_a_stops_calls_differ() -> None:
    """Stopping, putting back, and another try after a spent key are calls of their own."""
    keys = {rules.key(replace(STOP, attempt=n), active=active) for n in (1, 2) for active in (True, False)}
    assert len(keys) == 4
    assert rules.key(STOP, active=False).startswith(rules.prefix(STOP, active=False))


def test_attention_turns_to_news_at_once_and_to_old_ones_ever_less() -> None:
    """What ran out just now is looked at now; then often for an hour, then seldom; nothing gone, no look."""
    attention = Attention(often=60, seldom=900)
    first = frozenset({Variant(SHIRT, S)})
    both = first | {Variant(MUG, PLAIN)}
    assert not attention.wanted(frozenset(), 0)
    assert attention.wanted(first, 0)
    assert attention.wanted(first, 1), "the look did not end well"
    attention.looked(first, 1)
    assert [attention.wanted(first, at) for at in (2, 60, 61)] == [False, False, True]
    attention.looked(first, 3700)
    assert [attention.wanted(first, at) for at in (3800, 4599, 4600)] == [False, False, True]
    assert attention.wanted(both, 3701)


def test_attention_takes_what_comes_back_and_goes_again_for_news() -> None:
    """A size that was there in between has run out anew."""
    attention = Attention(often=60, seldom=900)
    first = frozenset({Variant(SHIRT, S)})
    attention.looked(first, 0)
    assert not attention.wanted(frozenset(), 1)
    assert attention.wanted(first, 2)
