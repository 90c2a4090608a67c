from __future__ import annotations

import pytest

from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import Shop


def test_fault_92_a_deleted_marker_is_found_in_the_log(shop: Shop, mug: ProductId) -> None:
    """Without its marker the product is compared with what stood under the one that was removed."""
    shop.dashboard(mug, stock_rev="", stock="20")
    shop.book(shop.sold(shop.line(mug, "", 1)))
    assert shop.stock(mug) == {"": "19"}
    assert shop.alerts() == []


def test_fault_92_an_old_form_is_merged_against_its_own_state(shop: Shop, mug: ProductId) -> None:
    """A person saves a page loaded before the last sale: the edit counts, the sale is not undone."""
    form = shop.metadata(mug)
    shop.book(shop.sold(shop.line(mug, "", 4)))
    shop.control(f"/_dashboard/products/{mug}", {"form": form, "absolute": {"stock": "19"}})
    assert shop.stock(mug) == {"": "19"}
    shop.changed(mug)
    assert shop.stock(mug) == {"": "15"}


@pytest.mark.parametrize("slip", ["an old form", "no marker"])
def test_a_slip_costs_one_page_of_the_account_s_events(shop: Shop, mug: ProductId, slip: str) -> None:
    """However much happened in the account since our last write, only the end of the event log is read."""
    form, other = shop.metadata(mug), shop.product(stock="0")
    shop.book(shop.sold(shop.line(mug, "", 4)))
    shop.changed(mug)
    for units in range(1, 121):
        shop.dashboard(other, stock=str(units))
    shop.control("/_checkout/age", {"seconds": 60})
    if slip == "an old form":
        shop.control(f"/_dashboard/products/{mug}", {"form": form, "absolute": {"stock": "19"}})
    else:
        shop.dashboard(mug, stock="15", stock_rev="")
    shop.touch(mug)
    shop.forget()
    shop.sync(mug)
    assert shop.stock(mug) == {"": "15"}
    assert shop.alerts() == []
    assert shop.calls()["GET /v1/events"] == 1


def test_an_old_form_over_a_write_that_nobody_heard_of_is_merged(shop: Shop, mug: ProductId) -> None:
    """The log's end tells of the write as well: it begins at the one before it."""
    form = shop.metadata(mug)
    shop.changed(mug)
    shop.book(shop.sold(shop.line(mug, "", 4)))
    shop.control(f"/_dashboard/products/{mug}", {"form": form, "absolute": {"stock": "19"}})
    shop.touch(mug)
    shop.sync(mug)
    assert shop.stock(mug) == {"": "15"}
    assert shop.alerts() == []


@pytest.mark.parametrize("marker", ["1:other:3:00000000", "1:testing:99:00000000", "garbage"])
def test_fault_92_a_marker_that_nothing_explains_stops_all_writes(
    shop: Shop, mug: ProductId, marker: str
) -> None:
    """Foreign, lost and typed markers: the product is left alone and a person is told, sales go on."""
    shop.dashboard(mug, stock_rev=marker)
    shop.book(shop.sold(shop.line(mug, "", 1)))
    assert shop.stock(mug) == {"": "9"}
    assert shop.movements(mug)[-1] == ("sale", "", -1)
    assert [kind for kind, _ in shop.alerts()] == ["quarantine"]


def test_a_duplicated_product_starts_anew(shop: Shop, mug: ProductId) -> None:
    """A copy that carries the original's marker is a product of its own."""
    copy = shop.product(**shop.metadata(mug))
    shop.book(shop.sold(shop.line(copy, "", 2)))
    assert shop.stock(copy) == {"": "7"}
    assert shop.stock(mug) == {"": "9"}
    assert shop.alerts() == []
