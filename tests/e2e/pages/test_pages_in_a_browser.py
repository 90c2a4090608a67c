"""What browsers do beside what was asked: keep nothing, search while one types, send nothing twice."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages.conftest import Open
from tests.support import past
from tests.support.chromium import NARROW, WIDE
from tests.support.pages import Pages


def units_of(pages: Pages, product: str, size: str) -> int:
    """What the ledger says."""
    (units,) = pages.row("select sum(delta) from movement where product_id = %s and size = %s", product, size)
    return int(units)


def change(page: Page) -> None:
    """Press the button of a product's form."""
    page.get_by_role("button", name="Change the stock").click()


def test_after_logging_out_nothing_is_left_in_the_browser(window: Open, pages: Pages) -> None:
    """Whoever comes to the machine next sees no page by going back, and none is kept in the browser's storage."""
    past.product(pages.database, "Secret mug")
    page = window().page
    page.goto("/products")
    page.get_by_label("Search").press_sequentially("secret")
    expect(page.get_by_role("table")).not_to_contain_text("Blue shirt")
    page.get_by_role("link", name="Secret mug").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Secret mug")
    kept = page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert "Secret mug" not in kept
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert "Secret mug" not in page.content()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_products_are_searched_while_one_types(window: Open, pages: Pages, width: int) -> None:
    """The list follows what is typed and chosen, and says where nothing is like that."""
    name = f"Trousers of {width}"
    past.product(pages.database, name)
    page = window(width=width).page
    page.goto("/products")
    listed = page.locator("#list")
    expect(listed).to_contain_text("Blue shirt")
    page.get_by_label("Search").press_sequentially(name.lower())
    expect(listed).to_contain_text("1 product")
    expect(listed).to_contain_text(name)
    page.get_by_label("Show").select_option("out")
    expect(listed).to_contain_text("No product is like that.")
    page.get_by_role("link", name="Show all").click()
    expect(listed).to_contain_text("Blue shirt")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_slip_is_said_beside_the_form(window: Open, pages: Pages, width: int) -> None:
    """What is no number changes nothing, and what was typed is still there to be mended."""
    shirt = past.product(pages.database, "Shirt", "S", "M")
    page = window(width=width).page
    page.goto(f"/products/{shirt}")
    page.get_by_label("Units").fill("many")
    page.get_by_label("Why").fill("delivery 17")
    change(page)
    expect(page.get_by_role("alert")).to_contain_text("The units must be a whole number")
    expect(page.get_by_label("Why")).to_have_value("delivery 17")
    assert units_of(pages, shirt, "S") == 10
    page.get_by_label("Units").fill("20")
    change(page)
    expect(page.get_by_role("status")).to_contain_text("10 → 30")
    assert units_of(pages, shirt, "S") == 30


def test_without_scripts_a_slip_is_said_on_a_page(window: Open, pages: Pages) -> None:
    """Going back from there leads to the form."""
    shirt = past.product(pages.database, "Shirt", "M")
    page = window(scripts=False).page
    page.goto(f"/products/{shirt}")
    page.get_by_label("Units").fill("0")
    change(page)
    expect(page.get_by_role("alert")).to_contain_text("The units must be a whole number")
    page.go_back()
    page.get_by_label("Units").fill("7")
    change(page)
    expect(page.get_by_role("status")).to_contain_text("10 → 17")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_click_books_once(window: Open, pages: Pages, *, scripts: bool) -> None:
    """Whoever clicks twice, as some do everywhere, has changed the stock once; without scripts, too."""
    shirt = past.product(pages.database, "Shirt", "M")
    page = window(scripts=scripts).page
    page.goto(f"/products/{shirt}")
    page.get_by_label("Units").fill("5")
    page.get_by_role("button", name="Change the stock").dblclick()
    expect(page.get_by_role("status")).to_contain_text("15.")
    assert units_of(pages, shirt, "M") == 15


def test_the_keyboard_goes_past_the_navigation(window: Open) -> None:
    """The first Tab is at a link that leads to the content; the next one from there is in it."""
    opened = window()
    page = opened.page
    page.goto("/products")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search")).to_be_focused()
