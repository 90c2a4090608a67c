from __future__ import annotations

import json
from functools import partial

import pytest

from services.stock_worker.refunds import Desk, on_refund
from shared.outcomes import Done, Ignored
from tests.integration.stock_worker.returning import kept, refunded, stocked, told
from tests.integration.stock_worker.shop import Shop
from tests.support.command import Command, stocksync


@pytest.fixture
def command(database_url: str) -> Command:
    """Runs `stocksync` on the test's database."""
    return partial(stocksync, DATABASE_URL=database_url, COLUMNS="300")


def test_who_places_a_sale_sees_that_its_money_went_back(shop: Shop, desk: Desk, command: Command) -> None:
    """Nobody is asked what came back of a sale that took nothing off; whoever places it reads what went back."""
    shirt = stocked(shop)
    session = shop.sold(shop.line(shirt, "Medium-ish", 2))
    shop.book(session)
    refund = refunded(shop, session)
    assert isinstance(on_refund(told(refund), desk), Ignored)
    assert [(one.id, one.state, lines) for one, lines in kept(desk)] == [(refund, "dismissed", [])]
    assert [kind for kind, _ in shop.alerts()] == ["unplaced_sale"]
    assert "nothing of the sale had been taken off any stock" in command("refunds", "list", "--all").stdout
    (held,) = json.loads(command("unplaced", "list", "--json").stdout)
    assert (held["money_back"], held["currency"]) == (200, "eur")
    assert "2.00 EUR went back" in command("unplaced", "list").stdout
    placed = command("unplaced", "place", str(held["id"]), shirt, "M")
    assert "2.00 EUR went back for this sale, and nobody is asked what came back" in placed.stdout
    assert on_refund(told(refund), desk) == Ignored("proposed before")


def test_a_refund_that_failed_is_no_reason_to_think_twice(shop: Shop, desk: Desk, command: Command) -> None:
    """Money that did not go back is not told of; where it does after all it is, or people are asked as ever."""
    shirt = stocked(shop)
    session = shop.sold(shop.line(shirt, "Medium-ish", 2))
    shop.book(session)
    refund = refunded(shop, session)
    on_refund(told(refund), desk)
    shop.control(f"/_refunds/{refund}", {"status": "failed"})
    on_refund(told(refund), desk)
    (held,) = json.loads(command("unplaced", "list", "--json").stdout)
    assert (held["money_back"], kept(desk)[0][0].state) == (0, "void")
    assert "went back" not in command("unplaced", "place", str(held["id"]), shirt, "M").stdout
    shop.control(f"/_refunds/{refund}", {"status": "succeeded"})
    assert isinstance(on_refund(told(refund), desk), Done)
    assert ("refund_proposed", refund) in shop.alerts()


def test_a_cart_that_is_placed_in_part_is_asked_about_as_far_as_it_is(
    shop: Shop, desk: Desk, command: Command
) -> None:
    """Of a full refund the lines that came off are proposed, and the one that waits says that money went back."""
    shirt = stocked(shop)
    session = shop.sold(shop.line(shirt, "S", 1), shop.line(shirt, "Medium-ish", 2))
    shop.book(session)
    refund = refunded(shop, session)
    assert isinstance(on_refund(told(refund), desk), Done)
    assert [lines for _, lines in kept(desk)] == [[("S", 1, 0)]]
    (held,) = json.loads(command("unplaced", "list", "--json").stdout)
    assert held["money_back"] == 300
