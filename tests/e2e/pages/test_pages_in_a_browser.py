"""The web pages in a real browser: with a mouse, on a phone, with the keyboard alone, and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages.conftest import Open
from tests.support.chromium import NARROW, WIDE, Window
from tests.support.pages import PASSWORD, Pages

PARTS = {"/overview/figures", "/readyz", "/stock.csv", "/stock.json"}
"""What is no page by itself."""


def log_in(page: Page, password: str = PASSWORD) -> None:
    """Type it and press the button."""
    page.get_by_label("Name").fill("olga")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def restock(page: Page, units: str) -> None:
    """Fill in the form of a product's page and press its button."""
    page.get_by_label("Goods came in").check()
    page.get_by_role("combobox", name="Size").select_option("S")
    page.get_by_label("Units").fill(units)
    page.get_by_role("button", name="Change the stock").click()


def units_of(pages: Pages, product: str, size: str) -> int:
    """What the ledger says."""
    ((units,),) = pages.execute(
        "select sum(delta) from movement where product_id = %s and size = %s", product, size
    )
    return int(str(units))


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_logging_in_and_out(window: Open, width: int) -> None:
    """A wrong password is said so, the right one leads to the page that was asked for, and logging out ends it all."""
    page = window(inside=False, width=width).page
    page.goto("/products?show=out")
    log_in(page, "not the password")
    expect(page.get_by_role("alert")).to_have_text("Name and password don't fit.")
    log_in(page)
    expect(page).to_have_url(re.compile(r"/products\?show=out$"))
    expect(page.get_by_role("table")).to_contain_text("Cap")
    page.get_by_role("link", name="Overview", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_after_logging_out_nothing_is_left_in_the_browser(window: Open) -> None:
    """Whoever comes to the machine next sees no page by going back, and none is kept in the browser's storage."""
    page = window(inside=False).page
    page.goto("/")
    log_in(page)
    page.get_by_role("link", name="Products", exact=True).click()
    page.get_by_label("Search").press_sequentially("mug")
    expect(page.get_by_role("table")).not_to_contain_text("Blue shirt")
    page.get_by_role("link", name="Mug").click()
    kept = page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert "Mug" not in kept
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert "Mug" not in page.content()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_products_are_searched_while_one_types(window: Open, width: int) -> None:
    """The list follows what is typed and chosen, and says where nothing is like that."""
    page = window(width=width).page
    page.goto("/products")
    listed = page.locator("#list")
    expect(listed).to_contain_text("3 products")
    page.get_by_label("Search").press_sequentially("shirt")
    expect(listed).to_contain_text("1 product")
    page.get_by_label("Show").select_option("out")
    expect(listed).to_contain_text("No product is like that.")
    page.get_by_role("link", name="Show all").click()
    expect(listed).to_contain_text("3 products")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_restocking_with_the_mouse(window: Open, pages: Pages, width: int) -> None:
    """Goods that came in are on the page and in the ledger at once; a slip is said beside the form first."""
    page = window(width=width).page
    before = units_of(pages, "prod_shirt", "S")
    page.goto("/products")
    page.get_by_role("link", name="Blue shirt").click()
    restock(page, "many")
    expect(page.get_by_role("alert")).to_contain_text("The units must be a whole number")
    page.get_by_label("Units").fill("20")
    page.get_by_role("button", name="Change the stock").click()
    expect(page.get_by_role("status")).to_contain_text(f"{before} → {before + 20}")
    assert units_of(pages, "prod_shirt", "S") == before + 20


def test_a_double_click_books_once(window: Open, pages: Pages) -> None:
    """Whoever clicks twice, as some do everywhere, has changed the stock once; without scripts, too."""
    for scripts in (True, False):
        page = window(scripts=scripts).page
        before = units_of(pages, "prod_shirt", "M")
        page.goto("/products/prod_shirt")
        page.get_by_role("combobox", name="Size").select_option("M")
        page.get_by_label("Units").fill("5")
        page.get_by_role("button", name="Change the stock").dblclick()
        expect(page.get_by_role("status")).to_contain_text(f"{before + 5}.")
        assert units_of(pages, "prod_shirt", "M") == before + 5


def test_correcting_with_the_keyboard_alone(window: Open, pages: Pages) -> None:
    """Without a mouse one comes to a product, chooses what happened, says why, and sends the form."""
    opened = window()
    page, keys = opened.page, opened.page.keyboard
    before = units_of(pages, "prod_mug", "")
    page.goto("/")
    opened.tab_to("Products")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Products")
    opened.tab_to("Mug")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mug")
    opened.tab_to("how")
    keys.press("ArrowUp")  # from the first choice round to the last
    expect(page.get_by_label("Something was wrong")).to_be_checked()
    opened.tab_to("units")
    keys.type("-2")
    opened.tab_to("reason")
    keys.type("broken")
    opened.tab_to("Change the stock")
    keys.press("Space")
    expect(page.get_by_role("status")).to_contain_text(f"{before} → {before - 2}")
    assert units_of(pages, "prod_mug", "") == before - 2
    keys.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"


def test_everything_works_without_scripts(window: Open, pages: Pages) -> None:
    """A browser that runs no script searches, restocks and is told what was wrong all the same."""
    page = window(scripts=False).page
    before = units_of(pages, "prod_shirt", "S")
    page.goto("/products")
    page.get_by_label("Search").fill("shirt")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Blue shirt").click()
    restock(page, "0")
    expect(page.get_by_role("alert")).to_contain_text("The units must be a whole number")
    page.go_back()
    restock(page, "7")
    expect(page.get_by_role("status")).to_contain_text(f"{before} → {before + 7}")


def _every_page(pages: Pages) -> list[str]:
    rules = {rule.rule for rule in pages.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    return [
        *sorted({rule for rule in rules if "<" not in rule} - PARTS),
        "/products/prod_shirt",
        "/unplaced/1",
    ]


def _problems(opened: Window, path: str) -> list[str]:
    opened.page.set_viewport_size({"width": NARROW, "height": 900})
    opened.page.goto(path)
    wide = opened.overflows()
    opened.page.set_viewport_size({"width": WIDE, "height": 900})
    return [*wide, *opened.look("light"), *opened.look("dark", "color-contrast")]


def test_every_page_is_for_everybody(window: Open, pages: Pages) -> None:
    """On no page does axe find anything grave, light or dark, and none is wider than a phone."""
    opened, stranger = window(), window(inside=False)
    found = [problem for path in _every_page(pages) for problem in _problems(opened, path)]
    assert found + _problems(stranger, "/login") == []


def test_what_is_grave_is_found(window: Open) -> None:
    """Negative control: an unlabelled field, a pale text and a wide picture would not go unnoticed."""
    opened = window()
    opened.page.goto("/products")
    opened.page.evaluate(
        """() => {
            const pale = document.createElement("p"), field = document.createElement("input");
            pale.innerText = "pale"; pale.style.color = "#ccc"; pale.style.background = "#fff";
            const wide = document.createElement("div"); wide.style.width = "2000px"; wide.innerText = "wide";
            document.querySelector("main").append(pale, field, wide);
        }"""
    )
    text = " ".join([*opened.look("light"), *opened.overflows()])
    assert all(word in text for word in ("color-contrast", "label", "wider than"))
