"""A shop with something on every page, its pages served, and windows on them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser

from tests.e2e.pages.shop import Stage, staged
from tests.support.chromium import HEIGHT, WIDE, Window, chromium
from tests.support.pages import Pages

Open = Callable[..., Window]


@pytest.fixture(scope="session")
def stage(postgres: str) -> Iterator[Stage]:
    """The shop, for all that look at it: what they change is their own."""
    with staged(postgres) as made:
        yield made


@pytest.fixture(scope="session")
def pages(stage: Stage) -> Pages:
    """Its pages."""
    return stage.pages


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for a whole module: while it runs, nothing else can have a loop of its own."""
    with chromium() as made:
        yield made


@pytest.fixture
def window(browser: Browser, pages: Pages) -> Iterator[Open]:
    """Opens windows; none may have complained by the end of the test."""
    with windows(browser, pages) as make:
        yield make


@contextmanager
def windows(browser: Browser, pages: Pages) -> Generator[Open]:
    """Opens windows, the operator's where nothing else is said, until the end of the block."""
    opened: list[Window] = []

    def make(*, inside: bool = True, width: int = WIDE, scripts: bool = True) -> Window:
        context = browser.new_context(
            base_url=pages.url,
            viewport={"width": width, "height": HEIGHT},
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        if inside:
            cookie = pages.cookie("olga")
            context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": pages.url}])
        opened.append(Window(context.new_page()))
        return opened[-1]

    yield make
    for one in opened:
        one.page.context.close()
    assert [complaint for one in opened for complaint in one.complaints] == []
