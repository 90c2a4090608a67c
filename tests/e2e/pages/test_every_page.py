"""Every page is for everybody: on a phone and on a desk, light and dark, whatever it has to show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from services.backoffice.web.addresses import rules
from tests.e2e.pages import deeds_of_stock
from tests.e2e.pages.conftest import Open, windows
from tests.e2e.pages.deeds import DEEDS
from tests.e2e.pages.shop import Stage
from tests.support.chromium import COLOURS, NARROW, WIDE, Window
from tests.support.pages import Pages

assert deeds_of_stock
NO_PAGES = {
    "files.script": "comes with every page",
    "files.static": "comes with every page",
    "ready.page": "for who looks after the process",
    "storefront.stock": "for the shop's own pages",
}
"""Endpoints that are read by no person, and who reads them."""
DRIVEN = {endpoint for deed in DEEDS for endpoint in deed.endpoints}
ADDRESSES = {rule.endpoint: rule.rule for rule in rules() if "GET" in (rule.methods or ())}
SHOWN = sorted(set(ADDRESSES) - set(NO_PAGES) - DRIVEN)
OTHERS = (
    "/unplaced?show=all",
    "/findings?show=acknowledged",
    "/findings?show=resolved",
    "/refunds?show=decided",
    "/products?q=nobodysells",
    "/events?days=7&owed=yes",
    "/movements?size=M",
    "/sales/cs_kept",
    "/nowhere",
)
"""The same pages with something else on them."""


@pytest.fixture(scope="module")
def opened(browser: Browser, pages: Pages) -> Iterator[Window]:
    """A window in which one page after the other is looked at."""
    with windows(browser, pages) as make:
        yield make()


def problems(opened: Window) -> list[str]:
    """Whatever is grave on the page, or wider than a phone."""
    opened.resize(NARROW)
    found = [*opened.look("light"), *opened.overflows()]
    opened.resize(WIDE)
    return [*found, *opened.look("dark", *COLOURS), *opened.overflows()]


@pytest.mark.parametrize("endpoint", SHOWN)
def test_a_page_is_for_everybody(endpoint: str, stage: Stage, opened: Window) -> None:
    """Axe finds nothing grave on it, and it is no wider than a phone; a page of one thing is one of the shop's."""
    path = stage.shown[endpoint] if "<" in ADDRESSES[endpoint] else ADDRESSES[endpoint]
    opened.page.goto(path)
    assert ("GET", path.partition("?")[0]) in opened.answered
    assert problems(opened) == []


@pytest.mark.parametrize("path", OTHERS)
def test_a_page_is_for_everybody_whatever_it_shows(path: str, opened: Window) -> None:
    """The other tabs, lists that hold nothing, and pages that say what is wrong."""
    opened.page.goto(path)
    assert problems(opened) == []


def test_what_a_file_changes_is_for_everybody(opened: Window, stage: Stage, tmp_path: Path) -> None:
    """The page between giving a list and importing it, too, and the one that lists what is wrong with it."""
    cup = stage.shop.product(stock="10")
    stage.shop.sync(cup)
    for units, told in (("25", "What counted.csv changes"), ("many", "Import a stock list")):
        file = tmp_path / "counted.csv"
        file.write_text(f"Product ID,Product Name,Size,Stock,Status\n{cup},,,{units},\n")
        opened.page.goto("/import")
        opened.page.get_by_label("The file").set_input_files(file)
        opened.page.get_by_role("button", name="Show what it changes").click()
        expect(opened.page.get_by_role("heading", level=1)).to_have_text(told)
        assert problems(opened) == []


def test_logging_in_is_for_everybody(window: Open) -> None:
    """The page that strangers see."""
    stranger = window(inside=False)
    stranger.page.goto("/")
    assert problems(stranger) == []


def test_what_is_grave_is_found(opened: Window) -> None:
    """Negative control: an unlabelled field, a pale text and a wide picture would not go unnoticed."""
    opened.page.goto("/products")
    opened.page.evaluate(
        """() => {
            const pale = document.createElement("p"), field = document.createElement("input");
            pale.innerText = "pale"; pale.style.color = "#ccc"; pale.style.background = "#fff";
            const wide = document.createElement("div"); wide.style.width = "2000px"; wide.innerText = "wide";
            document.querySelector("main").append(pale, field, wide);
        }"""
    )
    text = " ".join(problems(opened))
    assert all(word in text for word in ("color-contrast", "label", "wider than"))
