from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest
import requests

from services.backoffice.operations import stocktaking
from services.backoffice.operations.stocktaking import Author, NobodyLooks, NotChangeable, Place
from shared.broker.embedded import EmbeddedBroker
from shared.store.levels import Named
from shared.topology import PRODUCTS
from shared.vocabulary import MovementKind, ProductId, Size
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.command import Command, Ended, stocksync
from tests.support.waiting import until


@pytest.fixture
def command(database_url: str, queue: EmbeddedBroker) -> Command:
    """Runs `stocksync` on the test's database."""
    assert queue.depth(PRODUCTS).ready == 0
    return partial(stocksync, DATABASE_URL=database_url, COLUMNS="200")


@pytest.fixture
def counting(shop: Shop, queue: EmbeddedBroker) -> stocktaking.Shop:
    """The same shop, as its back office sees it."""
    return stocktaking.Shop(shop.database, queue, ACCOUNT)


@pytest.fixture
def shirt(shop: Shop) -> ProductId:
    """A shirt in two sizes: 4 and 6."""
    product = shop.product(sizes="M,L", stock_M="4", stock_L="6")
    shop.sync(product)
    return product


def plain(product: ProductId) -> Place:
    """The mug's only size."""
    return Place(Named(product, "Shirt"), Size(""))


def who(shop: Shop, product: ProductId) -> list[tuple[str, int, str, str]]:
    """(kind, delta, actor, reason) of all movements of people, oldest first."""
    with shop.database.transaction() as connection:
        rows = connection.execute(
            "select kind, delta, actor, reason from movement where product_id = %s and actor <> 'stripe' order by id",
            (product,),
        )
        return [(str(row[0]), int(row[1]), str(row[2]), str(row[3])) for row in rows]


def test_goods_that_came_in_are_added(
    shop: Shop, mug: ProductId, command: Command, queue: EmbeddedBroker
) -> None:
    """A restock is a movement with who and why, the worker is told, and Stripe shows the sum."""
    done = command("restock", mug, "+20", "--reason", "delivery 17")
    assert (done.returncode, done.stdout) == (0, f"Shirt ({mug}): 9 → 29\n")
    kind, delta, actor, reason = who(shop, mug)[-1]
    assert (kind, delta, reason) == ("restock", 20, "delivery 17")
    assert actor
    assert queue.depth(PRODUCTS).ready == 1
    shop.sync(mug)
    assert shop.stock(mug) == {"": "29"}


def test_a_restock_meets_a_sale_and_an_edit(shop: Shop, mug: ProductId, command: Command) -> None:
    """What is sold and typed meanwhile counts as well."""
    session = shop.sold(shop.line(mug, "", 2))
    shop.dashboard(mug, stock="14")
    assert command("restock", mug, "5").returncode == 0
    shop.book(session)
    shop.sync(mug)
    assert shop.stock(mug) == {"": "17"}


def test_a_size_is_named_where_there_are_several(shop: Shop, shirt: ProductId, command: Command) -> None:
    """Without it nothing changes; a wrong one is answered with those there are."""
    assert "say which size" in command("restock", shirt, "+1").stderr
    assert "it has the sizes L, M" in command("restock", shirt, "XL", "+1").stderr
    done = json.loads(command("adjust", shirt, "M", "-3", "--reason", "torn", "--json").stdout)
    assert done == {"product": shirt, "name": "Shirt", "size": "M", "before": 4, "after": 1}
    shop.sync(shirt)
    assert shop.stock(shirt) == {"M": "1", "L": "6"}
    assert [kind for kind, _ in shop.alerts()] == ["low_stock"]


@pytest.mark.parametrize(
    "case",
    [
        (("restock", "mug", "-5"), 2, "'-5' is not how many came in"),
        (("restock", "mug", "1e3"), 2, "'1e3' is not how many came in"),
        (("restock", "mug", "0"), 2, "'0' is not how many came in"),
        (("restock", "mug", "٣"), 2, "is not how many came in"),
        (("restock", "mug", "M", "L", "5"), 2, "a size and a number at most"),
        (("restock", "mug", "+1000"), 2, "say so with --yes"),
        (("restock", "mug", "+999999999", "--yes"), 1, "no size can have more than 999,999,999"),
        (("restock", "mug", "99999999999999999999"), 2, "is not how many came in"),
        (("restock", "cup", "+1"), 1, "no product has the id 'cup'"),
        (("adjust", "mug", "2", "--reason", "x"), 2, "'2' is not a difference with its sign"),
        (("adjust", "mug", "-10", "--reason", "x"), 1, "there are only 9"),
        (("adjust", "mug", "-1"), 2, "--reason"),
        (("adjust", "mug", "-1", "--reason", " "), 2, "--reason is empty"),
        (("correct", "mug", "+5", "--reason", "x"), 2, "'+5' is not how many there are"),
        (("correct", "mug", "--jsno", "--reason", "x"), 2, "'--jsno' is not how many there are"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    shop: Shop, mug: ProductId, command: Command, case: tuple[tuple[str, ...], int, str]
) -> None:
    """Fault 115: one complaint that says what is wrong, and the ledger as it was."""
    arguments, code, complaint = case
    done = command(*(mug if word == "mug" else word for word in arguments))
    assert (done.returncode, complaint in _flat(done.stderr)) == (code, True), done.stderr
    assert who(shop, mug) == []


def _flat(text: str) -> str:
    """A complaint without the frame and the line breaks that it has on a terminal."""
    return " ".join(text.replace("│", " ").split())


def test_what_a_person_has_to_see_to_first_is_said(shop: Shop, mug: ProductId, command: Command) -> None:
    """Stock that nobody may touch is not touched: in quarantine, gone, without a plain number."""
    shop.dashboard(mug, stock="3 pcs")
    shop.sync(mug)
    shop.touch(mug)
    shop.sync(mug)
    assert "has no plain whole number in Stripe" in command("restock", mug, "+1").stderr
    shop.dashboard(mug, stock="3", stock_rev="garbage")
    shop.touch(mug)
    shop.sync(mug)
    assert "is in quarantine (its stock_rev was changed by hand)" in command("restock", mug, "+1").stderr
    assert who(shop, mug) == []


def worked_until(shop: Shop, product: ProductId, ended: Future[Ended]) -> Ended:
    """How the command ended, while a stock worker does what there is to do."""

    def step() -> bool:
        shop.sync(product)
        return ended.done()

    until("the count to end", step)
    return ended.result()


def test_a_count_takes_in_what_was_typed_before(shop: Shop, mug: ProductId, command: Command) -> None:
    """An edit that nobody has heard of is no difference to the count: what was counted is what Stripe shows."""
    shop.dashboard(mug, stock="12")
    with ThreadPoolExecutor(1) as pool:
        counted = pool.submit(command, "correct", mug, "12", "--reason", "counted")
        done = worked_until(shop, mug, counted)
    assert (done.returncode, done.stdout) == (0, f"Shirt ({mug}): 12, as it was\n"), done.stderr
    assert who(shop, mug) == []
    with ThreadPoolExecutor(1) as pool:
        counted = pool.submit(command, "correct", mug, "7", "--reason", "counted")
        done = worked_until(shop, mug, counted)
    assert done.stdout == f"Shirt ({mug}): 12 → 7\n"
    shop.sync(mug)
    assert shop.stock(mug) == {"": "7"}
    assert [(kind, delta, reason) for kind, delta, _, reason in who(shop, mug)] == [
        ("adjustment", -5, "counted")
    ]


def test_a_count_without_a_worker_changes_nothing(
    shop: Shop, mug: ProductId, counting: stocktaking.Shop
) -> None:
    """Nobody looks in time: the number would not mean what was counted."""
    with pytest.raises(NobodyLooks, match="nothing was changed"):
        stocktaking.count(counting, plain(mug), 3, author=Author("eve"), within=0.5)
    assert who(shop, mug) == []


def test_an_order_that_comes_twice_counts_once(
    shop: Shop, mug: ProductId, counting: stocktaking.Shop
) -> None:
    """Whoever is not sure that it was taken gives it again."""
    author = Author("eve", "delivery", order="delivery-17")
    for _ in range(2):
        stocktaking.change(counting, plain(mug), 5, kind=MovementKind.RESTOCK, author=author)
    assert [(kind, delta) for kind, delta, *_ in who(shop, mug)] == [("restock", 5)]


def test_a_product_that_is_gone_has_no_stock(shop: Shop, mug: ProductId, counting: stocktaking.Shop) -> None:
    """Nothing comes into the stock of what was deleted."""
    requests.delete(f"{shop.url}/_dashboard/products/{mug}", timeout=10).raise_for_status()
    shop.touch(mug)
    shop.sync(mug)
    with pytest.raises(NotChangeable, match="was deleted in Stripe"):
        stocktaking.change(counting, plain(mug), 5, kind=MovementKind.RESTOCK, author=Author("eve"))
