from __future__ import annotations

from dataclasses import replace

import pytest

from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import Shop, edit_before_write


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """A shop that puts edits back."""
    shop.deps = replace(shop.deps, restore_edits=True)
    return shop


def test_an_edit_is_put_back_and_both_stay_in_the_history(shop: Shop, mug: ProductId) -> None:
    """With EXTERNAL_EDITS=restore the ledger's number comes back, and two movements of opposite signs say why."""
    shop.changed(mug)
    shop.dashboard(mug, stock="30")
    shop.changed(mug)
    assert shop.stock(mug) == {"": "9"}
    assert shop.movements(mug)[-2:] == [("external", "", 21), ("adjustment", "", -21)]
    shop.sync(mug)
    shop.dashboard(mug, stock="30")
    shop.changed(mug)
    assert shop.stock(mug) == {"": "9"}
    assert len(shop.movements(mug)) == 6


def test_a_sale_beside_an_edit_comes_off_the_ledgers_number(shop: Shop, mug: ProductId) -> None:
    """The edit is put back, the sale is not."""
    shop.changed(mug)
    shop.dashboard(mug, stock="30")
    shop.book(shop.sold(shop.line(mug, "", 2)))
    assert shop.stock(mug) == {"": "7"}


def test_an_edit_that_our_write_trampled_stays_trampled(
    shop: Shop, mug: ProductId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the write's own event tells is booked, and taken out again."""
    shop.changed(mug)
    session = shop.sold(shop.line(mug, "", 2))
    edit_before_write(shop, mug, monkeypatch, lambda: shop.dashboard(mug, stock="30"))
    shop.book(session)
    shop.changed(mug)
    assert shop.stock(mug) == {"": "7"}
    assert shop.movements(mug)[-2:] == [("overwritten", "", 21), ("adjustment", "", -21)]


def test_first_sight_is_no_edit(shop: Shop) -> None:
    """What a product shows when it is first seen, and a size that is added later, are opening balances."""
    shirt = shop.product(sizes="S", stock_S="4")
    shop.sync(shirt)
    shop.dashboard(shirt, sizes="S,M", stock_M="6")
    shop.changed(shirt)
    assert shop.movements(shirt) == [("opening", "S", 4), ("opening", "M", 6)]
    assert shop.stock(shirt) == {"S": "4", "M": "6"}
