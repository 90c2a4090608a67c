from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import Shop
from tests.integration.stock_worker.whole_stock.desk import HEAD
from tests.integration.stock_worker.working import working
from tests.support.pages import Browser, Pages, add_people, served

_TEXT = re.compile(r'<textarea name="text" hidden>\n(.*?)</textarea>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Counter:
    """The pages of the shop, as an operator uses them."""

    pages: Pages
    olga: Browser

    def give(self, content: bytes) -> requests.Response:
        """The file, to be looked at."""
        return self.olga.ask(
            "POST",
            "/import",
            data={"csrf": self.olga.csrf()},
            files={"file": ("stock.csv", content, "text/csv")},
            headers={"Origin": self.olga.origin},
        )

    def send(self, path: str, **form: str) -> requests.Response:
        """A form, and the page it ends with."""
        answer = self.olga.post(path, {"csrf": self.olga.csrf(), **form})
        return self.olga.get(answer.headers["Location"]) if answer.status_code == 303 else answer


@pytest.fixture
def counter(shop: Shop, database_url: str) -> Iterator[Counter]:
    """The pages beside the shop."""
    with served(database_url, stripe=shop.url) as pages:
        add_people(pages.database, olga="operator", viola="viewer")
        yield Counter(pages, pages.browser("olga"))


def test_a_counted_list_is_looked_at_imported_and_taken_back(
    shop: Shop, mug: ProductId, counter: Counter
) -> None:
    """Giving the file changes nothing; what was shown is done by one button, and taken back by another."""
    shown = counter.give(f"{HEAD}{mug},Shirt,,25,\r\n".encode())
    assert shown.status_code == 200
    assert "+16" in shown.text
    shop.sync(mug)
    assert shop.stock(mug) == {"": "9"}
    text = _TEXT.search(shown.text)
    assert text is not None
    form = {"text": text[1], "name": "stock.csv", "order": "a" * 32}
    told = working(shop, [mug], lambda: counter.send("/import/apply", **form)).text
    assert "Sizes changed: 1" in told
    assert f'value="{"a" * 32}"' in told  # the batch, to be taken back
    shop.sync(mug)
    assert shop.stock(mug) == {"": "25"}
    assert "Sizes taken back: 1" in counter.send("/import/undo", batch="a" * 32).text
    shop.sync(mug)
    assert shop.stock(mug) == {"": "9"}
    rows = counter.pages.execute("select delta, actor from movement where actor = 'olga' order by id")
    assert rows == [(16, "olga"), (-16, "olga")]


def test_what_was_shown_as_it_is_stays_so_although_it_is_sold_meanwhile(
    shop: Shop, mug: ProductId, counter: Counter
) -> None:
    """Only rows that the page showed as changes are counts: others were not counted, and sales of them stand."""
    cup = shop.product(stock="10")
    shop.sync(cup)
    shown = counter.give(f"{HEAD}{mug},,,25,\r\n{cup},,,10,\r\n".encode())
    text = _TEXT.search(shown.text)
    assert text is not None
    shop.book(shop.sold(shop.line(cup, "", 3)))
    form = {"text": text[1], "name": "stock.csv", "order": "b" * 32}
    told = working(shop, [mug, cup], lambda: counter.send("/import/apply", **form)).text
    assert "Sizes changed: 1" in told
    shop.sync(cup)
    assert shop.stock(cup) == {"": "7"}


def test_a_form_that_is_sent_twice_is_told_what_the_first_did(
    shop: Shop, mug: ProductId, counter: Counter
) -> None:
    """It counts once, and its batch can still be taken back."""
    text = _TEXT.search(counter.give(f"{HEAD}{mug},,,25,\r\n".encode()).text)
    assert text is not None
    form = {"text": text[1], "name": "stock.csv", "order": "c" * 32}
    for _ in range(2):
        told = working(shop, [mug], lambda: counter.send("/import/apply", **form)).text
        assert "Sizes changed: 1" in told
        assert f'value="{"c" * 32}"' in told
    assert counter.pages.execute("select count(*) from movement where actor = 'olga'") == [(1,)]


def test_all_that_is_wrong_is_listed(mug: ProductId, counter: Counter) -> None:
    """Each with its line, names from outside as text; nothing is changed."""
    answer = counter.give(f"{HEAD}{mug},,,twelve,\r\nprod_<b>,,,1,\r\n".encode())
    assert answer.status_code == 422
    assert "Line 2: " in answer.text
    assert "Line 3: " in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"Product ID\r\n", b"\0"])
def test_what_is_no_table_is_said(mug: ProductId, counter: Counter, content: bytes) -> None:
    """An empty file, another encoding, a lacking column: words, not a failure."""
    assert mug
    answer = counter.give(content)
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)


def test_a_table_of_a_whole_catalogue_is_for_the_command(counter: Counter) -> None:
    """Nobody waits minutes for a page."""
    rows = "".join(f"prod_{number},,,1,\r\n" for number in range(501))
    answer = counter.give((HEAD + rows).encode())
    assert (answer.status_code, "stocksync import" in answer.text) == (422, True)


def test_a_viewer_is_given_no_form(counter: Counter) -> None:
    """Whoever may only look can read how it goes."""
    page = counter.pages.browser("viola").get("/import").text
    assert 'type="file"' not in page
