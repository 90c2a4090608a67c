"""A shop in which all stock is counted, its command line, and a file for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from services.backoffice.operations.stocktaking import Shop as Counter
from shared.broker.embedded import EmbeddedBroker
from shared.vocabulary import ProductId
from tests.integration.stock_worker.conftest import KEY
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.integration.stock_worker.whole_stock.desk import Desk
from tests.support.command import Command, stocksync


@pytest.fixture
def command(database_url: str, shop: Shop) -> Command:
    """Runs `stocksync` on the test's database and shop."""
    where = {"DATABASE_URL": database_url, "STRIPE_API_KEY": KEY, "STRIPE_API_BASE": shop.url}
    return partial(stocksync, **where, COLUMNS="250")


@pytest.fixture
def counter(shop: Shop, queue: EmbeddedBroker) -> Counter:
    """The same, as its back office sees it."""
    return Counter(shop.database, queue, ACCOUNT)


@pytest.fixture
def desk(shop: Shop, mug: ProductId, counter: Counter, command: Command) -> Iterator[Desk]:
    """The shop, opened."""
    shirt = shop.product(sizes="M,L", stock_M="4", stock_L="6")
    shop.sync(shirt)
    with tempfile.TemporaryDirectory() as folder:
        yield Desk(shop, mug, shirt, command, Path(folder, "stock.csv"), counter)
