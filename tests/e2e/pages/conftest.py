"""A small shop, its pages served, and windows on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser

from services.backoffice.operations import stocktaking
from services.backoffice.operations.stocktaking import Author, Shop
from services.stripe_simulator.simulator import Simulator
from shared.alerts import NewAlert, unplaced_facts
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.store.alerts import Alerts
from shared.store.products import Products
from shared.store.sales import Sales
from shared.topology import PIPELINE
from shared.vocabulary import (
    AlertKind,
    LineItemId,
    MovementKind,
    ProductId,
    SessionId,
    Size,
    UnplacedSale,
)
from tests.support.chromium import WIDE, Window, chromium
from tests.support.pages import ACCOUNT, PASSWORD, Pages, add_people, served
from tests.support.postgres import fresh_database

STOCK = {
    ("prod_shirt", "Blue shirt"): {"S": 12, "M": 3},
    ("prod_mug", "Mug"): {"": 40},
    ("prod_cap", "Cap"): {"": 1},
}

SESSION = SessionId("cs_test_" + "b1gN4m3" * 8 + "xy")
"""As long as Stripe's are."""

Open = Callable[..., Window]


@pytest.fixture(scope="module")
def pages(postgres: str) -> Iterator[Pages]:
    """The pages of three products, for an operator."""
    with (
        Simulator.start(port=0) as simulator,
        fresh_database(postgres) as url,
        served(url, stripe=simulator.url) as made,
    ):
        add_people(made.database, olga="operator")
        with closing(EmbeddedBroker(url, PIPELINE)) as broker:
            _fill(made.database, broker)
        _hold(made.database)
        yield made


def _fill(database: Database, broker: EmbeddedBroker) -> None:
    shop = Shop(database, broker, ACCOUNT)
    for (product, name), sizes in STOCK.items():
        known = [Size(size) for size in sizes]
        with database.transaction() as connection:
            Products(connection, ACCOUNT).create(ProductId(product), name)
            Products(connection, ACCOUNT).save_sizes(
                ProductId(product), dict.fromkeys(known, "managed"), opened=known
            )
        for size, units in sizes.items():
            where = stocktaking.place(shop, product, size)
            stocktaking.change(
                shop, where, units, kind=MovementKind.RESTOCK, author=Author("olga", "opening")
            )
    stocktaking.change(
        shop,
        stocktaking.place(shop, "prod_cap", ""),
        -1,
        kind=MovementKind.ADJUSTMENT,
        author=Author("olga", "lost"),
    )


def _hold(database: Database) -> None:
    """A sale waits for its size, and people are told: something is counted in the navigation."""
    line, why = LineItemId("li_1"), "the sale does not say which size was sold"
    sale = UnplacedSale(ACCOUNT, SESSION, line, "sale:held", ProductId("prod_shirt"), None, 1, why)
    facts = unplaced_facts(SESSION, line, quantity=1, reason=why)
    alert = NewAlert(ACCOUNT, AlertKind.UNPLACED_SALE, f"{SESSION}/{line}", facts)
    with database.transaction() as connection:
        Sales(connection, ACCOUNT).hold([sale])
        Alerts(connection, ACCOUNT).raise_([alert])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for a whole module."""
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def cookies(browser: Browser, pages: Pages) -> Any:  # noqa: ANN401 - playwright's own
    """What a browser holds in which the operator is logged in; nobody logs out of this visit."""
    context = browser.new_context(base_url=pages.url)
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=name]", "olga")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_selector("h1:has-text('Overview')")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def window(browser: Browser, pages: Pages, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens windows; none may have complained by the end of the test."""
    opened: list[Window] = []

    def make(*, inside: bool = True, width: int = WIDE, scripts: bool = True) -> Window:
        context = browser.new_context(
            base_url=pages.url,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            reduced_motion="reduce",
            storage_state=request.getfixturevalue("cookies") if inside else None,
        )
        opened.append(Window(context.new_page()))
        return opened[-1]

    yield make
    for one in opened:
        one.page.context.close()
    assert [complaint for one in opened for complaint in one.complaints] == []
