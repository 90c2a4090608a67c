from __future__ import annotations

from tests.integration.stock_worker.shop import Shop


def test_low_and_out_of_stock_are_told_once_each_and_again_after_a_restock(shop: Shop) -> None:
    """One alert when stock turns low, one when it is out; a restock ends both and re-arms them."""
    mug = shop.product(stock="7")
    for quantity, expected in (
        (1, []),
        (1, ["low_stock"]),
        (1, ["low_stock"]),
        (4, ["low_stock", "out_of_stock"]),
    ):
        shop.book(shop.sold(shop.line(mug, "", quantity)))
        assert [kind for kind, _ in shop.alerts()] == expected
    shop.dashboard(mug, stock="20")
    shop.changed(mug)
    assert shop.alerts() == []
    shop.book(shop.sold(shop.line(mug, "", 16)))
    assert [kind for kind, _ in shop.alerts()] == ["low_stock"]


def test_selling_more_than_there_is_shows_0_and_tells_the_session(shop: Shop) -> None:
    """Stripe shows 0, the ledger agrees with it, and the alert names the session."""
    mug = shop.product(stock="2")
    session = shop.sold(shop.line(mug, "", 5))
    shop.book(session)
    assert shop.stock(mug) == {"": "0"}
    assert sum(delta for _, _, delta in shop.movements(mug)) == 0
    with shop.database.transaction() as connection:
        facts = connection.execute("select facts from alert where kind = 'oversold'").fetchone()
    assert facts is not None
    assert facts[0]["sales"] == [{"session": session, "units": 3}]


def test_alerts_of_a_deleted_product_are_over(shop: Shop) -> None:
    """What was low, out, oversold or unreadable ends with the product, and nobody is told to restock it."""
    mug = shop.product(sizes="S,M,L", stock_S="9", stock_M="2", stock_L="many")
    inline = {"price_data": {"currency": "eur", "unit_amount": 1, "product_data": {"name": "Mug"}}}
    for size, units in (("S", "5"), ("M", "3")):
        named = {"item_1_product_id": mug, "item_1_size": size, "item_1_quantity": units}
        shop.book(shop.sold({**inline, "quantity": int(units)}, **named))
    assert {kind for kind, _ in shop.alerts()} == {"low_stock", "out_of_stock", "oversold", "quarantine"}
    shop.stripe.v1.products.delete(mug)
    with shop.database.transaction() as connection:
        connection.execute("update product set dirty_since = now()")
    shop.sync(mug)
    assert shop.alerts() == []


def test_stock_alerts_of_a_size_that_was_taken_away_are_over(shop: Shop) -> None:
    """Who takes a size out of the metadata hears no more of its stock; the other sizes' alerts stay."""
    mug = shop.product(sizes="S,M", stock_S="9", stock_M="2")
    shop.book(shop.sold(shop.line(mug, "S", 5), shop.line(mug, "M", 3)))
    shop.dashboard(mug, sizes="S", stock_M="")
    shop.changed(mug)
    assert shop.alerts() == [("low_stock", f"{mug}/S")]
