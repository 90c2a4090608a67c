"""The pages of a shop with one product, for an operator, a viewer and strangers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.store.products import Products
from shared.vocabulary import ProductId, Size
from tests.support.pages import ACCOUNT, Pages, add_people, served
from tests.support.postgres import fresh_database

PRODUCT = ProductId("prod_secretshirt")
NAME = "Secret shirt"
TLS = "https://stock.example.com"


@pytest.fixture(scope="module")
def shop_url(postgres: str) -> Iterator[str]:
    """A database with one product and three people, for a whole module."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(scope="module")
def all_pages(shop_url: str) -> Iterator[Pages]:
    """The pages, served."""
    with served(shop_url) as pages:
        add_people(pages.database, olga="operator", viola="viewer")
        with pages.database.transaction() as connection:
            Products(connection, ACCOUNT).create(PRODUCT, NAME)
            Products(connection, ACCOUNT).save_sizes(PRODUCT, {Size("M"): "managed"}, opened=[Size("M")])
        yield pages


@pytest.fixture
def pages(all_pages: Pages) -> Pages:
    """The pages, which nobody has tried passwords at yet."""
    all_pages.execute("delete from login_failure")
    all_pages.execute("delete from alert")
    return all_pages


@pytest.fixture(scope="module")
def behind_tls(shop_url: str, all_pages: Pages) -> Iterator[Pages]:
    """The same shop as people see it through a proxy that speaks TLS."""
    assert all_pages
    with served(shop_url, TLS) as pages:
        yield pages
