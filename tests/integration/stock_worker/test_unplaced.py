from __future__ import annotations

import json
from functools import partial

import pytest

from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import Shop
from tests.support.command import Command, stocksync


@pytest.fixture
def command(database_url: str) -> Command:
    """Runs `stocksync unplaced` on the test's database."""
    return partial(stocksync, "unplaced", DATABASE_URL=database_url, COLUMNS="200")


@pytest.fixture
def shirt(shop: Shop) -> ProductId:
    """A shirt in two sizes, 4 and 6, of which 2 were sold in a size that it does not have."""
    product = shop.product(sizes="M,L", stock_M="4", stock_L="6")
    shop.sync(product)
    shop.book(shop.sold(shop.line(product, "Medium-ish", 2)))
    assert shop.stock(product) == {"M": "4", "L": "6"}
    return product


def waiting(command: Command) -> list[int]:
    """The numbers of the lines that wait."""
    return [one["id"] for one in json.loads(command("list", "--json").stdout)]


def test_a_line_that_waits_is_placed_as_the_sale_that_it_is(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """It comes off the size that a person names, in the sale's own name, once; the alert is over."""
    shown = command("list").stdout
    assert "Medium-ish" in shown
    assert "Shirt" in shown
    number = str(*waiting(command))
    placed = command("place", number, "shirt", "M", "--reason", "asked the customer")
    assert placed.returncode == 0, placed.stderr
    assert placed.stdout.startswith(f"Shirt ({shirt}), size M: 4 → 2, sold in cs_")
    shop.sync(shirt)
    assert shop.stock(shirt) == {"M": "2", "L": "6"}
    assert shop.movements(shirt)[-1] == ("sale", "M", -2)
    assert "unplaced_sale" not in [kind for kind, _ in shop.alerts()]
    assert command("list").stdout == "every sale has its place\n"
    again = command("place", number, "shirt", "M")
    assert (again.returncode, "was placed by" in again.stderr) == (1, True)
    assert command("list", "--all").stdout.count("placed by") == 1


def test_the_same_session_that_comes_again_is_not_booked_twice(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """The movement has the key that the line's booking would have had."""
    product = shop.product(stock="9")
    shop.sync(product)
    session = shop.sold(shop.line(product, "", 1), shop.line(shirt, "Huge", 3))
    shop.book(session)
    newest = str(waiting(command)[-1])
    assert command("place", newest, shirt, "L").returncode == 0
    with shop.database.transaction() as connection:
        connection.execute("delete from sale where session_id = %s", (session,))
    shop.book(session)
    shop.sync(shirt)
    assert shop.stock(shirt) == {"M": "4", "L": "3"}
    assert shop.stock(product) == {"": "8"}


def test_more_than_there_is_can_have_been_sold(shop: Shop, shirt: ProductId, command: Command) -> None:
    """It was sold whatever is left: people hear that it was too much."""
    shop.book(shop.sold(shop.line(shirt, "Huge", 9)))
    assert command("place", str(waiting(command)[-1]), shirt, "L").returncode == 0
    shop.sync(shirt)
    assert shop.stock(shirt) == {"M": "4", "L": "0"}
    assert "oversold" in [kind for kind, _ in shop.alerts()]


def test_what_takes_no_stock_is_dismissed(shop: Shop, shirt: ProductId, command: Command) -> None:
    """Nothing comes off, and nobody is asked again."""
    number = str(*waiting(command))
    assert command("dismiss", number).returncode == 0
    assert waiting(command) == []
    assert shop.movements(shirt)[-1][0] == "opening"
    assert "was dismissed by" in command("dismiss", number).stderr


@pytest.mark.parametrize(
    "case",
    [
        (("place", "99", "shirt", "M"), "no sale 99 waits"),
        (("dismiss", "99"), "no sale 99 waits"),
        (("place", "1", "shirt", "XS"), "it has the sizes L, M"),
        (("place", "1", "shirt"), "say which size"),
        (("place", "1", "hat"), "no product has the id 'hat'"),
    ],
)
def test_what_makes_no_sense_leaves_it_waiting(
    shop: Shop, shirt: ProductId, command: Command, case: tuple[tuple[str, ...], str]
) -> None:
    """One line says what is wrong."""
    arguments, complaint = case
    done = command(*arguments)
    assert (done.returncode, complaint in done.stderr) == (1, True), done.stderr
    assert len(waiting(command)) == 1
    assert shop.movements(shirt)[-1][0] == "opening"
