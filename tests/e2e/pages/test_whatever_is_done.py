"""Whatever can be done on the pages is done in a real browser, and what is done is looked up in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from services.backoffice.web.addresses import rules
from tests.e2e.pages import deeds_of_inboxes, deeds_of_stock
from tests.e2e.pages.conftest import Open, windows
from tests.e2e.pages.deeds import DEEDS, Deed, Scene
from tests.e2e.pages.shop import Stage
from tests.support.chromium import NARROW, WIDE, Window
from tests.support.hands import Hand, Keys, Pointer
from tests.support.pages import Pages

assert deeds_of_stock
assert deeds_of_inboxes


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody works."""

    name: str
    width: int
    hand: Callable[[Window], Hand]
    scripts: bool = True


MOUSE = Way("mouse", WIDE, Pointer)
WAYS = (
    MOUSE,
    Way("phone", NARROW, Pointer),
    Way("keyboard", WIDE, Keys),
    Way("no-scripts", WIDE, Pointer, scripts=False),
)
DONE = [
    pytest.param(deed, way, id=f"{deed.name}-{way.name}")
    for deed in DEEDS
    for way in WAYS
    if deed.chief or way is MOUSE
]


@pytest.fixture(scope="module")
def kept(browser: Browser, pages: Pages) -> Iterator[Mapping[Way, Window]]:
    """A window for each way, in which one deed is done after the other."""
    with windows(browser, pages) as make:
        yield {way: make(width=way.width, scripts=way.scripts) for way in WAYS}


@pytest.fixture
def opened(deed: Deed, way: Way, kept: Mapping[Way, Window], window: Open) -> Window:
    """The window of the way, or one of the deed's own."""
    if deed.alone:
        return window(inside=False, width=way.width, scripts=way.scripts)
    kept[way].page.bring_to_front()  # no window behind another asks for a file
    return kept[way]


@pytest.mark.parametrize(("deed", "way"), DONE)
def test_it_is_done(deed: Deed, way: Way, stage: Stage, opened: Window) -> None:
    """The page says what was done, it is in the books, and the browser was answered by what the deed is for."""
    opened.answered.clear()
    deed.act(Scene(stage, opened, way.hand(opened)))
    known = stage.pages.app.url_map.bind("")
    answered = {known.match(path, method)[0] for method, path in opened.answered}
    assert set(deed.endpoints) <= answered
    assert opened.complaints == []


def test_whatever_changes_something_is_done_by_a_browser() -> None:
    """Whoever adds a form to a page says here how it is used; a deed of what is no more goes with it."""
    changing = {rule.endpoint for rule in rules() if "POST" in (rule.methods or ())}
    driven = {endpoint for deed in DEEDS for endpoint in deed.endpoints}
    assert len(changing) > 15
    assert changing - driven == set()
    assert driven - {rule.endpoint for rule in rules()} == set()
