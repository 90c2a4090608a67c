from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from services.backoffice.web.app import PAGES
from shared import clock
from shared.topology import JOBS
from tests.support.command import stocksync
from tests.support.pages import ZONE, Browser, Pages, add_people, served, words
from tests.support.past import MUG, ROWS, SHIRT, history, schedule, snapshot
from tests.support.postgres import fresh_database

LISTS = ("/sales", "/movements", "/jobs", "/jobs/recover", "/snapshots", "/dead-letters", "/products")


@pytest.fixture(scope="module")
def site(postgres: str) -> Iterator[Pages]:
    """The pages of a shop with a history."""
    with fresh_database(postgres) as url, served(url) as made:
        add_people(made.database, olga="operator", viola="viewer")
        history(made.database)
        snapshot(made.database, *ROWS)
        schedule(made.database)
        yield made


def test_a_shop_that_has_just_begun_is_told_what_to_do(database_url: str) -> None:
    """Every list is there when it is empty, and says so."""
    with served(database_url) as bare:
        add_people(bare.database, viola="viewer")
        viola = bare.browser("viola")
        assert [path for path in LISTS if 'class="empty"' not in viola.see(path)] == []


def test_sales_say_what_was_sold_and_how_it_was_heard_of(viola: Browser) -> None:
    """Newest first: lines, lines of unknown size, why a sale was recovered and how late, and who bought."""
    page = viola.see("/sales")
    assert re.findall(r'href="/sales/(cs_\w+)"', page) == ["cs_odd", "cs_late", "cs_kept"]
    text = words(page)
    assert "size unknown 2 × Blue shirt , “&lt;XXL&gt;”" in text
    assert "recovered 3 h late the webhook &lt;failed&gt;" in text
    assert "Zoë &lt;i&gt; zoe@example.com cus_zoe" in text


def test_sales_are_filtered(viola: Browser) -> None:
    """By how they were heard of, and by day."""
    recovered = viola.see("/sales", recovered="yes")
    assert re.findall(r'href="/sales/(cs_\w+)"', recovered) == ["cs_late"]
    today = clock.now().astimezone(ZONE).date()
    lately = viola.see("/sales", since=str(today - timedelta(days=4)))
    assert {"cs_odd", "cs_late"} >= set(re.findall(r'href="/sales/(cs_\w+)"', lately)) >= {"cs_odd"}
    assert "No sale is like that" in viola.see("/sales", since=str(today + timedelta(days=2)))


def test_a_sale_has_a_page(viola: Browser) -> None:
    """With its movements, its held lines, and who bought as far as that is kept."""
    odd = words(viola.see("/sales/cs_odd"))
    assert "no such size" in odd
    assert "waits for somebody" in odd
    assert "Who bought not kept" in odd
    assert "-1 sold" in odd
    kept = viola.see("/sales/cs_kept")
    assert "zoe@example.com" in kept
    assert "+1 came back ada too small" in words(kept)
    assert viola.get("/sales/cs_none").status_code == 422
    assert viola.get("/sales/%00").status_code == 400


def test_movements_name_who_or_which_sale(viola: Browser) -> None:
    """A sale by its page and its buyer, a person by name, with the reason."""
    page = viola.see("/movements")
    assert 'href="/sales/cs_kept"' in page
    assert "zoe@example.com" in page
    assert "+1 came back cs_kept , ada" in words(page)
    assert "+5 goods came in ada delivery &lt;17&gt;" in words(page)
    assert "&lt;b&gt;Mug&lt;/b&gt;" in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"kind": "restock"}, 1),
        ({"kind": "sale"}, 3),
        ({"product": "Blue"}, 7),
        ({"product": SHIRT, "size": "L"}, 1),
        ({"product": SHIRT, "size": "M", "kind": "sale"}, 3),
        ({"product": MUG, "kind": "sale"}, 0),
        ({"kind": "nonsense"}, 8),
    ],
)
def test_movements_are_filtered(viola: Browser, query: dict[str, str], found: int) -> None:
    """By product, size and kind, each alone and together."""
    assert viola.see("/movements", **query).count('<td class="when">') == found


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("/movements", {"product": "trousers"}, "no product has the id"),
        ("/movements", {"size": "M"}, "Say which product the size is of"),
        ("/movements", {"before": "2026-01-01"}, "begin with the newest"),
        ("/movements", {"before": "2026-01-01T00:00:00+00:00~x"}, "begin with the newest"),
        ("/sales", {"before": "2026-01-01T00:00:00~cs_1"}, "begin with the newest"),
        ("/sales", {"since": "yesterday"}, "not a day"),
        ("/snapshots", {"before": "x"}, "begin with the newest"),
        ("/jobs/recover", {"before": "9999-99-99"}, "begin with the newest"),
        ("/snapshots/99999999999999999999", {}, "thinned out"),
    ],
)
def test_what_makes_no_sense_is_said(viola: Browser, path: str, query: dict[str, str], said: str) -> None:
    """In words, and never as a failure of ours."""
    answer = viola.ask("GET", path, params=query)
    assert answer.status_code in {200, 422}
    assert said.lower() in words(answer.text).lower()


def test_jobs_say_when_and_how(viola: Browser) -> None:
    """Each with its times and its latest run in words; the list is asked for again while one runs."""
    page = viola.see("/jobs")
    assert "every 15 minutes" in page
    assert 'hx-trigger="every 2s"' in page
    assert "about to begin" in words(viola.see("/jobs/recover"))
    assert viola.part("/jobs").startswith('<div id="jobs"')
    assert viola.get("/jobs/nothing").status_code == 404


def test_a_snapshot_is_there_whole(viola: Browser) -> None:
    """A page with its totals, and files with every row as it was."""
    (number,) = re.findall(r'href="/snapshots/(\d+)"', viola.see("/snapshots"))
    page = viola.see(f"/snapshots/{number}")
    assert "before &lt;the&gt; sale" in page
    assert re.search(r"<dt>Units</dt><dd><span class=\"figure\">39<", page)
    table = viola.get(f"/snapshots/{number}/stock.csv")
    assert table.headers["Content-Disposition"] == f'attachment; filename="snapshot-{number}.csv"'
    assert list(csv.reader(io.StringIO(table.content.decode(), newline=""))) == [
        ["Product ID", "Product Name", "Size", "Stock", "Status"],
        [MUG, "'=Mug", "", "", "NO VALUE"],
        [SHIRT, "Blue shirt", "L", "a few", "NOT A NUMBER"],
        [SHIRT, "Blue shirt", "M", "39", "IN STOCK"],
    ]
    document = json.loads(viola.see(f"/snapshots/{number}/stock.json"))
    assert (document["schema"], document["source"]) == ("stocksync.report/1", "snapshot")
    assert [row["stock"] for row in document["rows"]] == [None, None, 39]
    assert viola.get("/snapshots/4711/stock.csv").status_code == 422


def test_the_stock_now_is_what_the_command_reports(site: Pages, viola: Browser) -> None:
    """Byte for byte as CSV; as JSON all but the moment."""
    table = viola.get("/stock.csv")
    assert table.headers["Content-Disposition"] == 'attachment; filename="stock.csv"'
    assert table.content == stocksync("report", "--format", "csv", DATABASE_URL=site.database_url).output
    here = json.loads(viola.see("/stock.json"))
    there = json.loads(stocksync("report", "--format", "json", DATABASE_URL=site.database_url).stdout)
    assert {**here, "made_at": ""} == {**there, "made_at": ""}


def test_a_product_says_how_long_it_lasts_and_who_bought(viola: Browser) -> None:
    """Each size with its threshold and its days at the pace it sells; its sales lead to their pages."""
    page = viola.see(f"/products/{SHIRT}")
    text = words(page)
    assert re.search(r"M 43 in stock 5 the shop&#39;s 100 days", text), text
    assert re.search(r"L 4 low stock 5 the shop&#39;s none sold lately", text)
    assert 'href="/sales/cs_kept"' in page
    assert "zoe@example.com" in page


def test_products_have_a_line_of_their_last_days(viola: Browser) -> None:
    """Drawn by us, with words for those who don't see it."""
    page = viola.see("/products")
    lines = re.findall(r"<svg.*?<title>(.*?)</title><polyline points=\"([^\"]+)\"", page)
    words, points = lines[1]
    assert words == "Blue shirt: from 0 to 47 units in 14 days, between 0 and 47"
    assert len(points.split()) == 14
    assert points.split()[-1] == "100.0,2.0"
    assert lines[0][0].startswith("&lt;b&gt;Mug&lt;/b&gt;")
    assert {point.split(",")[1] for point in lines[0][1].split()} == {"22.0"}


@pytest.mark.parametrize("path", [*LISTS, "/sales/cs_odd", f"/products/{SHIRT}", "/snapshots"])
def test_viewers_get_no_forms(viola: Browser, olga: Browser, path: str) -> None:
    """But for logging out; nothing from outside is markup for anybody."""
    assert re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', viola.see(path)) == ["/logout"]
    for page in (viola.see(path), olga.see(path)):
        assert not re.search(r"<(b|i|XXL|the|failed|17)>", page)


def test_viewers_change_nothing(site: Pages, viola: Browser) -> None:
    """Whatever they send, it is refused."""
    before = site.broker.depth(JOBS)
    for path in ("/jobs/recover/run", f"/products/{SHIRT}/threshold", "/dead-letters/sales/replay"):
        assert viola.send(path, of="all", units="3").status_code == 403
    assert site.broker.depth(JOBS) == before
    assert len(PAGES) >= 9
