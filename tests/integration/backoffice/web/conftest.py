"""The pages of a shop, empty or with one product, for an operator, a viewer and strangers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.store.products import Products
from shared.vocabulary import ProductId, Size
from tests.support.pages import ACCOUNT, Browser, Pages, add_people, served
from tests.support.postgres import fresh_database

PRODUCT = ProductId("prod_secretshirt")
NAME = "Secret shirt"
TLS = "https://stock.example.com"


@pytest.fixture(scope="module")
def site(postgres: str) -> Iterator[Pages]:
    """The pages of an empty shop, for a whole module."""
    with fresh_database(postgres) as url, served(url) as made:
        add_people(made.database, olga="operator", viola="viewer")
        yield made


@pytest.fixture(scope="module")
def olga(site: Pages) -> Browser:
    """Somebody who may change things."""
    return site.browser("olga")


@pytest.fixture(scope="module")
def viola(site: Pages) -> Browser:
    """Somebody who may look."""
    return site.browser("viola")


@pytest.fixture(scope="module")
def all_pages(site: Pages) -> Pages:
    """The pages of a shop with one product."""
    with site.database.transaction() as connection:
        Products(connection, ACCOUNT).create(PRODUCT, NAME)
        Products(connection, ACCOUNT).save_sizes(PRODUCT, {Size("M"): "managed"}, opened=[Size("M")])
    return site


@pytest.fixture
def pages(all_pages: Pages) -> Pages:
    """The pages, which nobody has tried passwords at yet."""
    all_pages.execute("delete from login_failure")
    all_pages.execute("delete from alert")
    return all_pages


@pytest.fixture(scope="module")
def behind_tls(all_pages: Pages) -> Iterator[Pages]:
    """The same shop as people see it through a proxy that speaks TLS."""
    with served(all_pages.database_url, TLS) as pages:
        yield pages
