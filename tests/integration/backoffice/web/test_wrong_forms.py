"""Forms that no page of ours makes, sent by people who may change things."""

from __future__ import annotations

import pytest

from tests.integration.backoffice.web.conftest import PRODUCT
from tests.support.pages import Pages


def thresholds(pages: Pages) -> list[tuple[object, ...]]:
    """From which number on the product and its size count as low."""
    return pages.execute(
        "select p.threshold, v.threshold from product p join variant v on v.product_id = p.id where p.id = %s",
        PRODUCT,
    )


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
