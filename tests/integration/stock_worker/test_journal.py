from __future__ import annotations

import json
from functools import partial

import pytest

from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import Shop
from tests.support.command import Command, stocksync


@pytest.fixture
def command(database_url: str) -> Command:
    """Runs `stocksync` on the test's database."""
    return partial(stocksync, DATABASE_URL=database_url, COLUMNS="200")


@pytest.fixture
def shirt(shop: Shop) -> ProductId:
    """A shirt in two sizes: M is sold, edited and restocked, L only seen."""
    product = shop.product(sizes="M,L", stock_M="10", stock_L="6")
    shop.sync(product)
    shop.book(shop.sold(shop.line(product, "M", 3)))
    shop.dashboard(product, stock_M="9")
    shop.touch(product)
    shop.sync(product)
    return product


def test_movements_come_newest_first_with_what_was_left(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """Each says when, how many, what was left after it, and who did it; of all products, of one, or of one size."""
    assert command("restock", shirt, "M", "+5", "--reason", "delivery [17]").returncode == 0
    found = json.loads(command("movements", "Shirt", "M", "--json").stdout)
    assert [(one["kind"], one["delta"], one["after"]) for one in found] == [
        ("restock", 5, 14),
        ("external", 2, 9),
        ("sale", -3, 7),
        ("opening", 10, 10),
    ]
    assert found[0]["reason"] == "delivery [17]"
    assert found[2]["session"].startswith("cs_")
    assert len(json.loads(command("movements", "--json").stdout)) == 5
    newest = json.loads(command("movements", shirt, "--limit", "2", "--json").stdout)
    assert [one["after"] for one in newest] == [14, 9]
    shown = command("movements", shirt).stdout
    assert "delivery [17]" in shown
    assert "+5" in shown
    assert command("movements", shirt, "XS").stdout == "nothing moved\n"
    assert shop.stock(shirt)["M"] == "9"


def test_sales_come_newest_first_with_what_was_sold(shop: Shop, shirt: ProductId, command: Command) -> None:
    """Each names its session, what came off which size, and what was held."""
    shop.book(shop.sold(shop.line(shirt, "L", 2), shop.line(shirt, "Huge", 1)))
    found = json.loads(command("sales", "--json").stdout)
    lines = [[(line["size"], line["units"]) for line in one["lines"]] for one in found]
    assert (lines, [one["unplaced"] for one in found]) == ([[("L", 2)], [("M", 3)]], [1, 0])
    shown = command("sales").stdout
    assert "2 × Shirt L, 1 held at first" in shown
    assert command("sales", "--recovered").stdout == "nothing was sold\n"


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("movements", "hat"), 1, "no product has the id 'hat'"),
        (("movements", "--since", "yesterday"), 2, "not a moment: 'yesterday'"),
        (("sales", "--since", "2999-01-01"), 2, "2999-01-01 is in the future"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    command: Command, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    """A product or moment that is none."""
    done = command(*arguments)
    assert (done.returncode, complaint in done.stderr) == (code, True), done.stderr
