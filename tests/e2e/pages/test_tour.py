from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.pages.tour_shop import fill
from tests.support.pages import PASSWORD, Pages, add_people, served
from tests.support.postgres import fresh_database

Picture = Callable[[str], None]


@pytest.fixture(scope="module")
def site(postgres: str) -> Iterator[Pages]:
    """The pages of a shop with a month behind it."""
    with fresh_database(postgres) as url, served(url) as made:
        add_people(made.database, anna="operator")
        fill(made)
        yield made


@pytest.fixture
def page(browser: Browser, site: Pages) -> Iterator[Page]:
    """A window of somebody who has just come in."""
    context = browser.new_context(
        base_url=site.url,
        viewport={"width": 1200, "height": 760},
        color_scheme="light",
        reduced_motion="reduce",
    )
    made = context.new_page()
    made.goto("/")
    made.get_by_label("Name").fill("anna")
    made.get_by_label("Password").fill(PASSWORD)
    made.get_by_role("button", name="Log in").click()
    yield made
    context.close()


@pytest.fixture
def picture(page: Page, request: pytest.FixtureRequest, tmp_path: Path) -> Picture:
    """Keeps what the window shows under a name."""
    folder = Path(request.config.getoption("--tour") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def keep(name: str) -> None:
        path = folder / f"{name}.png"
        page.screenshot(path=path)
        assert path.stat().st_size > 10_000  # something is on it

    return keep


def heading(page: Page, words: str) -> None:
    """The page has come that is called so."""
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def go(page: Page, name: str) -> None:
    """To the page of that name in the navigation."""
    page.get_by_role("navigation", name="Pages", exact=True).get_by_role("link", name=name).click()


def test_the_tour(page: Page, picture: Picture) -> None:
    """What docs/tour.md tells: look around, restock, place a sale, see to a finding and to what was set aside."""
    heading(page, "Overview")
    picture("overview")
    go(page, "Products")
    heading(page, "Products")
    picture("products")
    page.get_by_role("link", name="Cap").click()
    heading(page, "Cap")
    page.get_by_label("Units").first.fill("24")
    page.get_by_label("Why").first.fill("delivery 17")
    picture("restock")
    page.get_by_role("button", name="Change the stock").click()
    expect(page.get_by_role("status")).to_contain_text("Cap")
    go(page, "Products")
    page.get_by_role("link", name="Blue shirt").click()
    page.wait_for_load_state("networkidle")
    picture("product")
    go(page, "Unplaced")
    page.get_by_role("link", name="Say what it was").click()
    page.get_by_label("M", exact=False).first.check()
    picture("unplaced")
    page.get_by_role("button", name="off its stock").click()
    expect(page.get_by_role("status")).to_contain_text("Blue shirt")
    go(page, "Findings")
    picture("findings")
    page.get_by_label("What was done about it").fill("wrote 20 in the Dashboard")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("status")).to_be_visible()
    go(page, "Set aside")
    heading(page, "Messages set aside")
    picture("set-aside")
    page.get_by_role("button", name="Have all of sales handled again").click()
    expect(page.get_by_role("status")).to_be_visible()
    go(page, "Movements")
    picture("movements")
