"""Forms and addresses that no page of ours makes, sent by people who may change things."""

from __future__ import annotations

import re

import pytest

from shared.stock_levels import HEADER
from tests.integration.backoffice.web.conftest import PRODUCT
from tests.support.pages import Browser, Pages


def thresholds(pages: Pages) -> list[tuple[object, ...]]:
    """From which number on the product and its size count as low."""
    return pages.execute(
        "select p.threshold, v.threshold from product p join variant v on v.product_id = p.id where p.id = %s",
        PRODUCT,
    )


def preview(browser: Browser, rows: str) -> tuple[int, str]:
    """What the page says of a file with these rows."""
    answer = browser.ask(
        "POST",
        "/import",
        data={"csrf": browser.csrf()},
        files={"file": ("counted.csv", ",".join(HEADER) + "\r\n" + rows)},
        headers={"Origin": browser.origin},
    )
    return answer.status_code, answer.text


@pytest.mark.parametrize("of", [None, "", "size", "size:", "sizes:M", "SIZE:M", "ALL", "all ", "all:M", "M"])
def test_a_threshold_of_nothing_that_is_known_changes_nothing(pages: Pages, of: str | None) -> None:
    """Only a form that says so changes what the whole product counts as low at; a right one does."""
    browser, path = pages.browser("olga"), f"/products/{PRODUCT}/threshold"
    form = {"csrf": browser.csrf(), "units": "7"}
    assert browser.post(path, {**form, "of": "all"}).status_code == 303
    assert browser.post(path, {**form, "of": "size:M", "units": "8"}).status_code == 303
    assert thresholds(pages) == [(7, 8)]
    for units in ("3", ""):
        sent = {**form, "units": units} | ({} if of is None else {"of": of})
        answer = browser.post(path, sent)
        assert answer.status_code == 422
        assert "Say whether it is for the whole product, or for which size" in answer.text
    assert thresholds(pages) == [(7, 8)]


def test_a_file_that_is_wrong_throughout_is_answered_in_a_page(pages: Pages) -> None:
    """Of a thousand wrong lines the first are shown, and how many more there are; of few all are."""
    code, page = preview(pages.browser("olga"), 1_000 * "prod_nowhere,x,M,1\r\n")
    assert code == 422
    assert re.findall(r"<li>Line (\d+): ", page) == [str(line) for line in range(2, 102)]
    assert "<li>… and 900 more like these.</li>" in page
    code, page = preview(pages.browser("olga"), 100 * "prod_nowhere,x,M,1\r\n")
    assert (code, len(re.findall("<li>Line ", page)), "more like these" in page) == (422, 100, False)


def test_no_odd_address_leads_out_of_tls(behind_tls: Pages) -> None:
    """A slash too many leads nowhere: a redirect by it would name the address that only the proxy uses, without TLS."""
    browser = behind_tls.browser("viola")
    browser.hold(f"__Host-stocksync={browser.cookie}")
    assert browser.get(f"/products/{PRODUCT}").status_code == 200
    for path in (f"/products//{PRODUCT}", "/jobs//verify", "/products//", "/snapshots//1///stock.csv"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers.get("Location")) == (404, None), path
