from __future__ import annotations

import pytest

from shared.outcomes import RetryLater
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import Shop


def on_hand(shop: Shop, product: ProductId) -> int:
    """All units that the ledger has of the product."""
    return sum(delta for _, _, delta in shop.movements(product))


def look(shop: Shop, product: ProductId) -> None:
    """The worker looks at the product, for whatever reason."""
    shop.touch(product)
    shop.sync(product)


def missed(shop: Shop, product: ProductId) -> None:
    """The worker looks just when Stripe says that there is no such product."""
    shop.fault("status", status=404, method="GET", path=f"/products/{product}")
    look(shop, product)


def test_a_product_that_was_only_not_found_once_keeps_its_number(shop: Shop, mug: ProductId) -> None:
    """The ledger that had ended goes on with what Stripe shows; nothing is written over it."""
    missed(shop, mug)
    assert on_hand(shop, mug) == 0
    look(shop, mug)
    assert shop.stock(mug) == {"": "9"}
    assert on_hand(shop, mug) == 9
    assert shop.movements(mug)[-1] == ("adjustment", "", 9)
    shop.book(shop.sold(shop.line(mug, "", 2)))
    assert shop.stock(mug) == {"": "7"}


def test_a_sale_of_what_is_back_is_booked(shop: Shop, mug: ProductId) -> None:
    """Nobody need notice before the next customer does."""
    missed(shop, mug)
    shop.book(shop.sold(shop.line(mug, "", 2)))
    assert shop.stock(mug) == {"": "7"}
    assert on_hand(shop, mug) == 7
    assert shop.alerts() == []


def test_a_product_made_anew_under_its_old_id_is_adopted(shop: Shop) -> None:
    """What its event log tells is of the product before; the new one's number counts, edits of it too."""
    product = ProductId("prod_mine")
    shop.stripe.v1.products.create({"id": product, "name": "Mine", "metadata": {"stock": "10"}})
    shop.sync(product)
    shop.dashboard(product, stock="7")
    shop.changed(product)
    assert shop.metadata(product)["stock_rev"]
    shop.stripe.v1.products.delete(product)
    look(shop, product)
    shop.stripe.v1.products.create({"id": product, "name": "Mine", "metadata": {"stock": "20"}})
    look(shop, product)
    assert (shop.stock(product), on_hand(shop, product)) == ({"": "20"}, 20)
    shop.dashboard(product, stock="25")
    shop.changed(product)
    assert (shop.stock(product), on_hand(shop, product)) == ({"": "25"}, 25)


def test_a_product_that_goes_twice_ends_twice(shop: Shop, mug: ProductId) -> None:
    """Whatever came back is taken out of the ledger again."""
    for _ in range(2):
        missed(shop, mug)
        assert on_hand(shop, mug) == 0
        look(shop, mug)
        assert on_hand(shop, mug) == 9


@pytest.mark.parametrize("locked", [True, False], ids=["another worker is at it", "nobody is"])
def test_a_sale_waits_for_the_first_look_at_a_product_that_is_stocked_from_now_on(
    shop: Shop, locked: bool
) -> None:
    """What the ledger thought of the product before it had a number is out of date: the sale is not let go."""
    product = shop.product()
    shop.book(shop.sold(shop.line(product, "", 1)))
    assert on_hand(shop, product) == 0
    shop.dashboard(product, stock="10")
    session = shop.sold(shop.line(product, "", 1))
    with shop.deps.books.sitting() as other:
        assert not locked or other.try_lock(product)
        (outcome,) = shop.book(session)
        assert isinstance(outcome, RetryLater) is locked
        if locked:
            other.unlock(product)
    shop.book(session)
    assert (shop.stock(product), on_hand(shop, product)) == ({"": "9"}, 9)


def test_a_marker_that_was_deleted_meanwhile_does_not_make_it_another_product(
    shop: Shop, mug: ProductId
) -> None:
    """The event log ends with what is shown, so it is the same one: a sale that was not written yet counts."""
    shop.fault("rate_limit", method="POST", path=f"/products/{mug}")
    shop.book(shop.sold(shop.line(mug, "", 2)))
    shop.dashboard(mug, stock_rev="")
    with shop.database.transaction() as connection:
        connection.execute("update write set state = 'SETTLED' where state = 'PENDING'")
    missed(shop, mug)
    assert on_hand(shop, mug) == 0
    look(shop, mug)
    assert shop.stock(mug) == {"": "7"}
    assert on_hand(shop, mug) == 7
