from __future__ import annotations

import pytest

from shared.store import repairs
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import ACCOUNT, Shop


def take_over(shop: Shop, product: ProductId) -> None:
    """A person says that Stripe is right, and the worker hears of it."""
    with shop.database.transaction() as connection:
        assert repairs.take_over(connection, ACCOUNT, [product]) == {product}
    shop.sync(product)


def ledger(shop: Shop, product: ProductId) -> dict[str, str]:
    """The balances by size, as Stripe would write them."""
    with shop.database.transaction() as connection:
        rows = connection.execute("select size, on_hand from variant where product_id = %s", (product,))
        return {str(size): str(units) for size, units in rows}


def last_actor(shop: Shop, product: ProductId) -> tuple[str, str, int]:
    """(kind, actor, delta) of the product's last movement."""
    with shop.database.transaction() as connection:
        row = connection.execute(
            "select kind, actor, delta from movement where product_id = %s order by id desc limit 1",
            (product,),
        ).fetchone()
    assert row is not None
    return str(row[0]), str(row[1]), int(row[2])


@pytest.mark.parametrize(
    ("marker", "check"),
    [
        ("1:other:3:00000000", "Stop the other installation."),
        ("1:testing:99:00000000", "After a restored backup `stocksync restored` mends it"),
        ("garbage", "Check the product's numbers in the Dashboard"),
    ],
)
def test_fault_92_a_product_that_is_taken_over_keeps_stripes_number(
    shop: Shop, mug: ProductId, marker: str, check: str
) -> None:
    """Edits and sales in quarantine end in Stripe's number, by an operator's adjustment, under our marker."""
    shop.dashboard(mug, stock_rev=marker)
    shop.book(shop.sold(shop.line(mug, "", 2)))
    shop.dashboard(mug, stock="40")
    shop.book(shop.sold(shop.line(mug, "", 1)))
    assert [kind for kind, _ in shop.alerts()] == ["quarantine"]
    told = shop.facts("quarantine")
    assert told["first"].startswith(check)
    assert told["command"] == f"stocksync takeover {mug}"
    assert shop.metadata(mug)["stock_rev"] == marker
    take_over(shop, mug)
    assert shop.stock(mug) == ledger(shop, mug) == {"": "40"}
    assert last_actor(shop, mug) == ("adjustment", "operator", 34)
    assert shop.metadata(mug)["stock_rev"].startswith("1:testing:2:")
    assert shop.alerts() == []
    shop.changed(mug)
    shop.book(shop.sold(shop.line(mug, "", 5)))
    shop.changed(mug)
    assert shop.stock(mug) == ledger(shop, mug) == {"": "35"}


def test_a_product_that_was_never_opened_is_taken_over(shop: Shop) -> None:
    """A product that another installation kept from the start is adopted with the number it shows."""
    product = shop.product(stock="7", stock_rev="1:other:3:00000000")
    shop.book(shop.sold(shop.line(product, "", 1)))
    assert shop.stock(product) == {"": "7"}
    take_over(shop, product)
    assert shop.stock(product) == ledger(shop, product) == {"": "7"}
    shop.book(shop.sold(shop.line(product, "", 1)))
    assert shop.stock(product) == ledger(shop, product) == {"": "6"}


def test_sales_of_a_size_that_can_not_be_read_at_a_takeover_are_not_forgotten(shop: Shop) -> None:
    """Mended later, its number is compared with what the ledger had at the takeover."""
    shirt = shop.product(sizes="S,M", stock_S="10", stock_M="5")
    shop.book(shop.sold(shop.line(shirt, "M", 1)))
    shop.dashboard(shirt, stock_S="3 pcs", stock_rev="garbage")
    shop.changed(shirt)
    take_over(shop, shirt)
    shop.book(shop.sold(shop.line(shirt, "S", 2)))
    shop.dashboard(shirt, stock_S="7")
    shop.changed(shirt)
    assert shop.stock(shirt)["S"] == ledger(shop, shirt)["S"] == "5"


def test_without_takeover_a_quarantined_product_stays_alone(shop: Shop, mug: ProductId) -> None:
    """The negative control: a sync alone never ends a quarantine that nothing explains."""
    shop.dashboard(mug, stock_rev="garbage", stock="40")
    shop.sync(mug)
    shop.changed(mug)
    shop.sync(mug)
    assert shop.metadata(mug)["stock_rev"] == "garbage"
    assert ledger(shop, mug) == {"": "9"}
