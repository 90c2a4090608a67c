from __future__ import annotations

import json
from functools import partial

import pytest

from services.backoffice.operations.looks import Patience
from services.backoffice.operations.stocktaking import Shop as Counter
from services.backoffice.operations.whole_stock import adoption
from shared.broker.embedded import EmbeddedBroker
from shared.stripe_api.client import StripeApi
from shared.topology import PRODUCTS
from shared.vocabulary import ProductId
from tests.integration.stock_worker.conftest import KEY
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.integration.stock_worker.working import working
from tests.support.command import Command

NAMES = ("Mug", "Cap", "Shirt", "Scarf", "Belt", "Gift card")


@pytest.fixture
def products(shop: Shop) -> list[ProductId]:
    """A shop that nobody has looked at: a mug, and products of which something can't be read."""
    made = [
        shop.product(stock="7"),
        shop.product(sizes="S,M", stock_S="3 pcs", stock_M="4"),
        shop.product(sizes="S,M", stock_S="2"),
        shop.product(stock="5", stock_rev="garbage"),
        shop.product(stock_L="9"),
        shop.product(category="card"),
    ]
    for product, name in zip(made, NAMES, strict=True):
        shop.stripe.v1.products.update(product, {"name": name})
    return made


def test_a_shop_that_starts_is_taken_over(
    shop: Shop, products: list[ProductId], command: Command, queue: EmbeddedBroker
) -> None:
    """What can be read is kept from then on, and each thing that can't is named with what to do; twice does no harm."""
    for _ in range(2):
        done = working(shop, products, partial(command, "init", "--json"))
        assert (done.returncode, done.stderr) == (1, "")
        found = json.loads(done.stdout)
        assert (found["listed"], found["keeping"]) == (6, 5)
        assert (found["kept"]["units"], found["kept"]["products"]) == (13, 3)
        assert [(one["name"], one["size"], one["what"]) for one in found["unread"]] == [
            ("Belt", "L", "there is stock_L, and `sizes` does not name it"),
            ("Cap", "S", "stock_S is '3 pcs'"),
            ("Scarf", None, "is in quarantine: its stock_rev was changed by hand"),
            ("Shirt", "M", "`sizes` names it, and there is no stock_M"),
        ]
        assert shop.movements(products[0]) == [("opening", "", 7)]
    assert queue.depth(PRODUCTS).ready == 10
    shown = working(shop, products, partial(command, "init")).stdout
    assert (
        "Stripe lists 6 products, 5 of them with stock: 13 units of 3 products in 3 sizes are kept now."
        in shown
    )
    assert "write a plain whole number there" in shown


def test_what_was_put_right_is_taken_over_without_a_complaint(
    shop: Shop, products: list[ProductId], command: Command
) -> None:
    """Once all can be read the command ends with 0, and says how much is kept."""
    for product in products[1:5]:
        old = dict.fromkeys(("stock_rev", "stock", "stock_S", "stock_M"), "")
        shop.stripe.v1.products.update(product, {"metadata": {**old, "sizes": "L", "stock_L": "1"}})
    done = working(shop, products, partial(command, "init"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Stripe lists 6 products, 5 of them with stock: 11 units of 5 products in 5 sizes are kept now.\n"
    )


def test_without_a_worker_nothing_is_called_read(
    shop: Shop, products: list[ProductId], queue: EmbeddedBroker
) -> None:
    """Each product that nobody looked at in time is listed, with what to see to."""
    done = adoption.adopt(Counter(shop.database, queue, ACCOUNT), StripeApi(KEY, shop.url), Patience(0.5, 0))
    assert (done.keeping, done.kept.units) == (5, 0)
    assert {one.product for one in done.unread} == set(products[:5])
    assert all("no stock worker has looked at it within 0.5 s" in one.what for one in done.unread)


def test_an_empty_shop_says_how_to_begin(command: Command, queue: EmbeddedBroker) -> None:
    """Nothing to take over is no failure."""
    assert queue.depth(PRODUCTS).ready == 0
    done = command("init")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Give a product `sizes` and `stock_<size>`" in done.stdout
