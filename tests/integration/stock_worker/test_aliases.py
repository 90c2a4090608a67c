from __future__ import annotations

import json
from functools import partial
from typing import Any, LiteralString

import pytest

from shared.vocabulary import ProductId, SessionId
from tests.integration.stock_worker.shop import Shop
from tests.support.command import Command, stocksync


@pytest.fixture
def command(database_url: str) -> Command:
    """Runs `stocksync unplaced` on the test's database."""
    return partial(stocksync, "unplaced", DATABASE_URL=database_url, COLUMNS="250")


@pytest.fixture
def shirt(shop: Shop) -> ProductId:
    """A shirt in two sizes, 40 and 60."""
    product = shop.product(sizes="M,L", stock_M="40", stock_L="60")
    shop.sync(product)
    return product


def custom(name: str, size: str = "") -> dict[str, Any]:
    """A line with an inline product that is called so."""
    price = {"currency": "eur", "unit_amount": 100, "product_data": {"name": name}}
    return {"price_data": price, "quantity": 1, "metadata": {"size": size} if size else {}}


def waiting(command: Command) -> list[int]:
    """The numbers of the lines that wait."""
    return [one["id"] for one in json.loads(command("list", "--json").stdout)]


def reasons(shop: Shop, session: SessionId) -> list[tuple[str, str, str]]:
    """(kind, size, reason) of what a session moved."""
    with shop.database.transaction() as connection:
        rows = connection.execute(
            "select kind, size, reason from movement where session_id = %s order by id", (session,)
        )
        return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]


def taught(shop: Shop, shirt: ProductId, command: Command) -> None:
    """A person says once that Medium-ish is M, for good."""
    shop.book(shop.sold(shop.line(shirt, "Medium-ish")))
    done = command("place", str(*waiting(command)), shirt, "M", "--always")
    assert done.returncode == 0, done.stderr


def test_what_was_taught_places_the_next_sale_by_itself(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """As the sale that it is, which says who taught it; no alert is opened, and the number in Stripe follows."""
    shop.book(shop.sold(shop.line(shirt, "Medium-ish")))
    number = str(*waiting(command))
    done = command("place", number, "shirt", "M", "--always")
    assert done.returncode == 0, done.stderr
    assert f'From now on {shirt} with the size "Medium-ish" means Shirt ({shirt}), size M' in done.stdout
    shop.sync(shirt)
    session = shop.sold(shop.line(shirt, "Medium-ish", 2))
    shop.book(session, session)
    ((kind, size, reason),) = reasons(shop, session)
    assert (kind, size) == ("sale", "M")
    assert reason.startswith("placed by alias 1, which ")
    assert shop.stock(shirt) == {"M": "37", "L": "60"}
    assert (waiting(command), shop.alerts()) == ([], [])
    assert "Medium-ish" in command("aliases").stdout
    assert [one["told_size"] for one in json.loads(command("aliases", "--json").stdout)] == ["Medium-ish"]


def test_without_always_nothing_is_learnt(shop: Shop, shirt: ProductId, command: Command) -> None:
    """The next one waits for a person again."""
    shop.book(shop.sold(shop.line(shirt, "Medium-ish")))
    assert command("place", str(*waiting(command)), shirt, "M").returncode == 0
    shop.book(shop.sold(shop.line(shirt, "Medium-ish")))
    assert len(waiting(command)) == 1
    assert command("aliases").stdout.startswith("nothing was taught")


def test_a_line_of_no_product_of_the_shop_is_known_by_its_name(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """However it is spaced and capitalized; another size of it waits."""
    shop.book(shop.sold(custom("Blue Shirt", "M")))
    assert "Blue Shirt" in command("list").stdout
    assert command("place", str(*waiting(command)), shirt, "M", "--always").returncode == 0
    shop.book(shop.sold(custom("blue  shirt", "M")), shop.sold(custom("Blue Shirt", "L")))
    assert [m for m in shop.movements(shirt) if m[0] == "sale"] == [("sale", "M", -1)] * 2
    assert len(waiting(command)) == 1


def test_others_that_say_the_same_are_offered_and_not_placed(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """Each with the command that places it, and no other."""
    alike = [shop.sold(shop.line(shirt, "Medium-ish")) for _ in range(3)]
    shop.book(*alike, shop.sold(shop.line(shirt, "Large-ish")))
    first, second, third, other = waiting(command)
    done = command("place", str(first), shirt, "M", "--always")
    assert "2 more of those that wait say the same:" in done.stdout
    offered = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert offered == [f"stocksync unplaced place {n} {shirt} M" for n in (second, third)]
    assert waiting(command) == [second, third, other]
    for one in offered:
        assert command(*one.split()[2:]).returncode == 0
    assert waiting(command) == [other]
    told = json.loads(command("place", str(other), shirt, "L", "--always", "--json").stdout)
    assert (told["alias"], told["replaced"], told["alike"]) == (2, False, [])


@pytest.mark.parametrize(
    "change",
    [
        "update product set state = 'quarantined'",
        "update product set state = 'untracked'",
        "update product set state = 'closed'",
        "update variant set state = 'missing' where size = 'M'",
        "update variant set state = 'unreadable' where size = 'M'",
    ],
)
def test_an_alias_whose_size_is_not_in_order_places_nothing(
    shop: Shop, shirt: ProductId, command: Command, change: LiteralString
) -> None:
    """The line waits with the reason that it would have had, until the size is there again."""
    shop.book(shop.sold(custom("Blue Shirt", "M")))
    assert command("place", str(*waiting(command)), shirt, "M", "--always").returncode == 0
    with shop.database.transaction() as connection:
        connection.execute(change)
    shop.book(shop.sold(custom("Blue Shirt", "M")))
    (held,) = json.loads(command("list", "--json").stdout)
    assert held["reason"] == "the line has an ad-hoc product that names no product of the catalogue"
    assert "places nothing: " in command("aliases").stdout
    with shop.database.transaction() as connection:
        connection.execute("update product set state = 'tracked'")
        connection.execute("update variant set state = 'managed'")
    shop.book(shop.sold(custom("Blue Shirt", "M")))
    assert len(waiting(command)) == 1


def test_what_was_taught_is_forgotten_on_request(shop: Shop, shirt: ProductId, command: Command) -> None:
    """The next one waits; a number that there is none of is one clear line."""
    taught(shop, shirt, command)
    assert command("forget", "1").stdout == "alias 1: forgotten\n"
    shop.book(shop.sold(shop.line(shirt, "Medium-ish")))
    assert len(waiting(command)) == 1
    again = command("forget", "1")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "there is no alias 1" in again.stderr


def test_who_teaches_otherwise_replaces_what_was_taught(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """The last word counts, and has a number of its own."""
    shop.book(*(shop.sold(shop.line(shirt, "Medium-ish")) for _ in range(3)))
    numbers = [str(one) for one in waiting(command)]
    assert command("place", numbers[0], shirt, "M", "--always").returncode == 0
    again = json.loads(command("place", numbers[1], shirt, "M", "--always", "--json").stdout)
    assert (again["alias"], again["replaced"]) == (1, False)
    assert "and no longer what it meant before" in command("place", numbers[2], shirt, "L", "--always").stdout
    session = shop.sold(shop.line(shirt, "Medium-ish"))
    shop.book(session)
    ((_, size, reason),) = reasons(shop, session)
    assert (size, reason.split(",")[0]) == ("L", "placed by alias 2")


def test_a_line_that_can_not_be_recognised_teaches_nothing(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """Neither product nor name, or sizes for nobody knows which line: refused in one line, and not placed either."""
    shop.book(shop.sold(shop.line(shirt, ""), shop.line(shirt, ""), size="L"))
    vague, nameless = waiting(command)
    with shop.database.transaction() as connection:
        connection.execute(
            "update unplaced_sale set product_id = null, line_name = '', vague = false where id = %s",
            (nameless,),
        )
    for number, why in ((vague, "not of which line"), (nameless, "nothing to recognise the next one by")):
        done = command("place", str(number), shirt, "M", "--always")
        assert (done.returncode, done.stderr.count("\n"), why in done.stderr) == (1, 1, True), done.stderr
    assert waiting(command) == [vague, nameless]
    assert command("place", str(vague), shirt, "M").returncode == 0
