from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from services.backoffice.cli import report_formats
from services.backoffice.operations.reports import formats, report
from services.backoffice.operations.reports.stock import Ledger
from shared import clock
from shared.store import thresholds
from shared.vocabulary import ProductId
from tests.integration.reports.conftest import Place
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.command import Command

EVIL = '=HYPERLINK("https://evil.example";"Mug")\n<b>&'
HEADER = "Product ID,Product Name,Size,Stock,Status"


@pytest.fixture(scope="module")
def shelf(shop: Shop) -> dict[str, ProductId]:
    """A shirt in three sizes, a mug with a threshold of its own, an evil name, a product without stock."""
    made = {
        "shirt": shop.product(sizes="S,M,L", stock_S="0", stock_M="3", stock_L="12"),
        "mug": shop.product(stock="8"),
        "evil": shop.product(stock="1"),
        "odd": shop.product(stock="a dozen"),
        "card": shop.product(category="gift"),
    }
    shop.stripe.v1.products.update(made["mug"], {"name": "Mug"})
    shop.stripe.v1.products.update(made["evil"], {"name": EVIL})
    for amount, currency, name in ((1999, "eur", "shirt"), (1200, "jpy", "mug"), (1500, "bhd", "evil")):
        price = shop.stripe.v1.prices.create(
            {"product": made[name], "currency": currency, "unit_amount": amount}
        )
        shop.stripe.v1.products.update(made[name], {"default_price": price.id})
    for product in made.values():
        shop.sync(product)
    with shop.database.transaction() as connection:
        assert thresholds.set_for_product(connection, ACCOUNT, made["mug"], 9)
    return made


def rows(content: bytes) -> list[list[str]]:
    """A CSV's cells, the header left out."""
    return list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]


def test_the_ledger_as_csv(command: Command, shelf: dict[str, ProductId]) -> None:
    """The columns are those that shops know, thresholds count, and no cell is a formula."""
    answer = command("report", "--format", "csv")
    assert answer.returncode == 0
    assert answer.output.split(b"\r\n")[0].decode() == HEADER
    assert b"\n" not in answer.output.replace(b"\r\n", b"").replace(EVIL.encode()[-6:], b"")
    assert sorted(rows(answer.output)) == sorted(
        [
            [shelf["shirt"], "Shirt", "S", "0", "OUT OF STOCK"],
            [shelf["shirt"], "Shirt", "M", "3", "LOW STOCK"],
            [shelf["shirt"], "Shirt", "L", "12", "IN STOCK"],
            [shelf["mug"], "Mug", "", "8", "LOW STOCK"],
            [shelf["evil"], "'" + EVIL, "", "1", "LOW STOCK"],
            [shelf["odd"], "Shirt", "", "", "NOT A NUMBER"],
        ]
    )


def test_live_with_prices(
    place: Place, command: Command, shelf: dict[str, ProductId], tmp_path: Path
) -> None:
    """Stripe's own numbers, what is none as it stands there, and each currency with its decimals."""
    place.shop.dashboard(shelf["mug"], stock="10")
    target = tmp_path / "stock.csv"
    answer = command("report", "--live", "--prices", "--format", "csv", "--output", str(target))
    assert (answer.returncode, answer.output) == (0, b"")
    content = target.read_bytes()
    assert content.startswith(b"Product ID,Product Name,Price,Size,Stock,Status\r\n")
    found = {(row[0], row[3]): (row[2], row[4], row[5]) for row in rows(content)}
    assert found[shelf["mug"], ""] == ("1200 JPY", "10", "IN STOCK")
    assert found[shelf["shirt"], "M"] == ("19.99 EUR", "3", "LOW STOCK")
    assert found[shelf["evil"], ""] == ("1.500 BHD", "1", "LOW STOCK")
    assert found[shelf["odd"], ""] == ("", "a dozen", "NOT A NUMBER")
    assert shelf["card"] not in {product for product, _ in found}


def test_json_for_machines(command: Command, shelf: dict[str, ProductId]) -> None:
    """One object with a schema, totals and a row for each size."""
    answer = json.loads(command("report", "--format", "json").stdout)
    assert answer["schema"] == "stocksync.report/1"
    assert answer["totals"] == {"products": 4, "sizes": 6, "units": 24, "low": 3, "out": 1}
    assert {"product": shelf["evil"], "name": EVIL, "size": "", "stock": 1, "status": "LOW STOCK"} in answer[
        "rows"
    ]


def test_html_is_one_escaped_page(command: Command, shelf: dict[str, ProductId]) -> None:
    """The page needs nothing from elsewhere, and a name is text in it."""
    assert shelf
    page = command("report", "--format", "html", TIME_ZONE="Europe/Berlin").stdout
    assert "<b>" not in page
    assert "=HYPERLINK(&#34;" in page
    assert not re.search(r"<(script|link|img)|url\(|https?://(?!evil)", page)
    assert "(Europe/Berlin)" in page


def test_the_terminal_shows_totals(command: Command, shelf: dict[str, ProductId]) -> None:
    """A table with a line of totals under it, no colour where nobody sees it."""
    assert shelf
    shown = command("report").stdout
    assert "24 units of 4 products in 6 sizes: 3 low, 1 out" in shown
    assert "\x1b" not in shown
    assert re.search(r"Mug +8 +LOW STOCK", shown)


def test_a_shop_that_has_just_begun(unstocked: Ledger) -> None:
    """Without any product there is an empty table, and a page that says so."""
    made = report.from_ledger(unstocked, clock.now())
    assert formats.as_csv(made) == HEADER + "\r\n"
    assert "No product keeps stock yet." in report_formats.as_html(made, _utc())


def _utc() -> report_formats.ZoneInfo:
    return report_formats.ZoneInfo("UTC")
