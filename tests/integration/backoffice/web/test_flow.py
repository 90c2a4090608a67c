from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar, Self

import psycopg
import pytest
from psycopg.abc import Params, Query
from psycopg.rows import tuple_row

from services.backoffice.operations.reports import journal_pages as operations
from services.backoffice.web.app import PAGES
from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.store import journal_pages
from shared.store.jobs import Jobs, Planned
from shared.store.journal_pages import NEWEST, NEWEST_SALE, JournalPages, Mark, Sought
from shared.store.product_pages import ProductPages
from shared.topology import JOBS, PIPELINE
from shared.vocabulary import MovementKind, Size
from tests.integration.backoffice.web.flow_site import (
    ACCOUNT,
    MUG,
    ROWS,
    SHIRT,
    ZONE,
    Site,
    Visitor,
    history,
    move,
    sell,
    served,
    snapshot,
    stock,
)
from tests.support.command import stocksync
from tests.support.postgres import fresh_database

LISTS = ("/sales", "/movements", "/jobs", "/jobs/recover", "/snapshots", "/dead-letters", "/products")


@pytest.fixture(scope="module")
def dsn(postgres: str) -> Iterator[str]:
    """The database of a shop with a history."""
    with fresh_database(postgres) as address:
        yield address


@pytest.fixture(scope="module")
def site(dsn: str) -> Iterator[Site]:
    """The pages of that shop."""
    yield from _site(dsn, filled=True)


@pytest.fixture(scope="module")
def bare(postgres: str) -> Iterator[Site]:
    """The pages of a shop that has just begun."""
    with fresh_database(postgres) as address:
        yield from _site(address, filled=False)


@pytest.fixture
def own(database: Database, queue: EmbeddedBroker) -> Iterator[Site]:
    """The pages of a shop of the test's own, with two products."""
    stock(database)
    with served(database, queue) as made:
        yield made


@pytest.fixture(scope="module")
def operator(site: Site) -> Visitor:
    """Somebody who may change things."""
    return site.visitor()


@pytest.fixture(scope="module")
def viewer(site: Site) -> Visitor:
    """Somebody who may look."""
    return site.visitor("viewer")


def _site(dsn: str, *, filled: bool) -> Iterator[Site]:
    database, queue = Database(dsn, name="tests", size=8), EmbeddedBroker(dsn, PIPELINE)
    queue.declare()
    if filled:
        history(database)
        snapshot(database, *ROWS)
        with database.transaction() as connection:
            jobs = Jobs(connection, ACCOUNT)
            jobs.save_schedules([Planned("recover", "*/15 * * * *", "Europe/Berlin", clock.now())])
            jobs.plan("recover", clock.now(), actor="schedule")
    with served(database, queue) as made:
        yield made
    queue.close()
    database.close()


def cells(page: str) -> str:
    """The text of a page, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("path", LISTS)
def test_a_shop_that_has_just_begun_is_told_what_to_do(bare: Site, path: str) -> None:
    """Every list is there when it is empty, and says so."""
    page = bare.visitor("viewer").text(path)
    assert 'class="empty"' in page


def test_sales_say_what_was_sold_and_how_it_was_heard_of(viewer: Visitor) -> None:
    """Newest first: lines, lines of unknown size, why a sale was recovered and how late, and who bought."""
    page = viewer.text("/sales")
    assert re.findall(r'href="/sales/(cs_\w+)"', page) == ["cs_odd", "cs_late", "cs_kept"]
    text = cells(page)
    assert "size unknown 2 × Blue shirt , “&lt;XXL&gt;”" in text
    assert "recovered 3 h late the webhook &lt;failed&gt;" in text
    assert "Zoë &lt;i&gt; zoe@example.com cus_zoe" in text


def test_sales_are_filtered(viewer: Visitor) -> None:
    """By how they were heard of, and by day."""
    recovered = viewer.text("/sales", recovered="yes")
    assert re.findall(r'href="/sales/(cs_\w+)"', recovered) == ["cs_late"]
    today = clock.now().astimezone(ZONE).date()
    lately = viewer.text("/sales", since=str(today - timedelta(days=4)))
    assert {"cs_odd", "cs_late"} >= set(re.findall(r'href="/sales/(cs_\w+)"', lately)) >= {"cs_odd"}
    assert "No sale is like that" in viewer.text("/sales", since=str(today + timedelta(days=2)))


def test_a_sale_has_a_page(viewer: Visitor) -> None:
    """With its movements, its held lines, and who bought as far as that is kept."""
    odd = cells(viewer.text("/sales/cs_odd"))
    assert "no such size" in odd
    assert "waits for somebody" in odd
    assert "Who bought not kept" in odd
    assert "-1 sold" in odd
    kept = viewer.text("/sales/cs_kept")
    assert "zoe@example.com" in kept
    assert "+1 came back ada too small" in cells(kept)
    assert viewer.get("/sales/cs_none").status_code == 422
    assert viewer.get("/sales/%00").status_code == 400


def test_movements_name_who_or_which_sale(viewer: Visitor) -> None:
    """A sale by its page and its buyer, a person by name, with the reason."""
    page = viewer.text("/movements")
    assert 'href="/sales/cs_kept"' in page
    assert "zoe@example.com" in page
    assert "+1 came back cs_kept , ada" in cells(page)
    assert "+5 goods came in ada delivery &lt;17&gt;" in cells(page)
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
def test_movements_are_filtered(viewer: Visitor, query: dict[str, str], found: int) -> None:
    """By product, size and kind, each alone and together."""
    assert viewer.text("/movements", **query).count('<td class="when">') == found


@pytest.mark.parametrize(
    ("path", "query", "words"),
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
def test_what_makes_no_sense_is_said(viewer: Visitor, path: str, query: dict[str, str], words: str) -> None:
    """In words, and never as a failure of ours."""
    answer = viewer.get(path, **query)
    assert answer.status_code in {200, 422}
    assert words.lower() in cells(answer.text).lower()


def _walked(visitor: Visitor, path: str, pattern: str, between: Callable[[], None]) -> list[str]:
    found: list[str] = []
    while path:
        page = visitor.text(path)
        found += re.findall(pattern, page)
        between()
        older = re.search(r'href="([^"]+)" rel="next"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    return found


def test_no_movement_is_lost_or_doubled_between_pages(own: Site) -> None:
    """Those that happened at one moment are told apart, and new ones move nothing."""
    begun = clock.now() - timedelta(hours=1)
    for number in range(4):
        some = [("M", 1, MovementKind.RESTOCK, f"entry {number}-{n}") for n in range(30)]
        move(own.database, *some, at=begun + timedelta(minutes=number // 2))

    def more() -> None:
        move(own.database, *[("M", 1, MovementKind.RESTOCK, "newer")] * 7, at=clock.now())

    for path in ("/movements", "/movements?kind=restock", "/movements?product=Blue"):
        found = _walked(own.visitor("viewer"), path, r"<td>entry (\d-\d+)</td>", more)
        assert len(found) == 120
        assert set(found) == {f"{number}-{n}" for number in range(4) for n in range(30)}


def test_no_sale_is_lost_or_doubled_between_pages(own: Site) -> None:
    """Those that were booked together are told apart, and new ones move nothing."""
    begun, count = clock.now() - timedelta(hours=1), iter(range(1000))
    for number in range(120):
        at = begun + timedelta(minutes=number // 60)
        sell(own.database, f"cs_old{number}", at=at, origin="recovery", reason="late")

    def more() -> None:
        sell(own.database, f"cs_new{next(count)}", at=clock.now(), origin="recovery")

    for path in ("/sales", "/sales?recovered=yes"):
        found = _walked(own.visitor("viewer"), path, r'href="/sales/cs_old(\d+)"', more)
        assert len(found) == 120
        assert len(set(found)) == 120


def test_what_is_rare_is_looked_for_a_part_at_a_time(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page says how far it looked, and the next one goes on there."""
    monkeypatch.setattr(journal_pages, "LOOK", 20)
    begun = clock.now() - timedelta(hours=1)
    move(own.database, ("L", 1, MovementKind.RETURNED, "the rare one"), at=begun)
    move(own.database, *[("M", 1, MovementKind.RESTOCK, "x")] * 50, at=begun + timedelta(minutes=1))
    visitor = own.visitor("viewer")
    assert "looks further back" in visitor.text("/movements", product=SHIRT, size="L")
    found = _walked(visitor, f"/movements?product={SHIRT}&size=L", "the rare one", lambda: None)
    assert found == ["the rare one"]


def test_jobs_say_when_and_how(viewer: Visitor) -> None:
    """Each with its times and its latest run in words; the list is asked for again while one runs."""
    page = viewer.text("/jobs")
    assert "every 15 minutes" in page
    assert 'hx-trigger="every 2s"' in page
    assert "about to begin" in cells(viewer.text("/jobs/recover"))
    assert viewer.part("/jobs").startswith('<div id="jobs"')
    assert viewer.get("/jobs/nothing").status_code == 404


def test_a_job_that_ended_says_what_it_did(own: Site) -> None:
    """With its figures or its error, in order, and nothing is asked for again."""
    with own.database.transaction() as connection:
        jobs, at = Jobs(connection, ACCOUNT), clock.now()
        for number, state in enumerate(["done", "failed"] * 30):
            planned = at - timedelta(minutes=number)
            jobs.plan("verify", planned, actor="schedule")
            figures = {"looked_at": number} if state == "done" else {}
            jobs.finish(
                "verify", planned, state, figures=figures, error="" if state == "done" else "<Stripe>"
            )
    viewer = own.visitor("viewer")
    assert "hx-trigger" not in viewer.text("/jobs")
    assert "done looked at 0" in cells(viewer.text("/jobs"))
    assert "failed &lt;Stripe&gt;" in cells(viewer.text("/jobs/verify"))
    found = _walked(viewer, "/jobs/verify", r"looked at (\d+)", lambda: None)
    assert found == [str(number) for number in range(0, 60, 2)]


def test_run_now_is_what_the_command_does(own: Site, database_url: str) -> None:
    """A run that names who wanted it, and a message to the reconciler; then the page is live."""
    operator = own.visitor()
    done = operator.post("/jobs/snapshot/run")
    assert "snapshot is to run now." in done.text
    assert 'hx-trigger="every 2s"' in done.text
    assert own.broker.depth(JOBS).ready == 1
    assert stocksync("jobs", "run", "snapshot", DATABASE_URL=database_url).returncode == 0
    assert own.broker.depth(JOBS).ready == 2
    with own.database.transaction() as connection:
        asked, clicked = Jobs(connection, ACCOUNT).history("snapshot")
    assert (clicked.actor, clicked.state, clicked.reason) == (operator.name, asked.state, asked.reason)
    assert operator.post("/jobs/nothing/run").status_code == 404


def test_a_snapshot_is_there_whole(site: Site, viewer: Visitor) -> None:
    """A page with its totals, and files with every row as it was."""
    (number,) = re.findall(r'href="/snapshots/(\d+)"', viewer.text("/snapshots"))
    page = viewer.text(f"/snapshots/{number}")
    assert "before &lt;the&gt; sale" in page
    assert re.search(r"<dt>Units</dt><dd><span class=\"figure\">39<", page)
    table = viewer.get(f"/snapshots/{number}/stock.csv")
    assert table.headers["Content-Disposition"] == f'attachment; filename="snapshot-{number}.csv"'
    assert list(csv.reader(io.StringIO(table.content.decode(), newline=""))) == [
        ["Product ID", "Product Name", "Size", "Stock", "Status"],
        [MUG, "'=Mug", "", "", "NO VALUE"],
        [SHIRT, "Blue shirt", "L", "a few", "NOT A NUMBER"],
        [SHIRT, "Blue shirt", "M", "39", "IN STOCK"],
    ]
    document = json.loads(viewer.text(f"/snapshots/{number}/stock.json"))
    assert (document["schema"], document["source"]) == ("stocksync.report/1", "snapshot")
    assert [row["stock"] for row in document["rows"]] == [None, None, 39]
    assert site.visitor("viewer").get("/snapshots/4711/stock.csv").status_code == 422


def test_the_stock_now_is_what_the_command_reports(dsn: str, viewer: Visitor) -> None:
    """Byte for byte as CSV; as JSON all but the moment."""
    table = viewer.get("/stock.csv")
    assert table.headers["Content-Disposition"] == 'attachment; filename="stock.csv"'
    assert table.content == stocksync("report", "--format", "csv", DATABASE_URL=dsn).output
    here = json.loads(viewer.text("/stock.json"))
    there = json.loads(stocksync("report", "--format", "json", DATABASE_URL=dsn).stdout)
    assert {**here, "made_at": ""} == {**there, "made_at": ""}


def test_a_product_says_how_long_it_lasts_and_who_bought(viewer: Visitor) -> None:
    """Each size with its threshold and its days at the pace it sells; its sales lead to their pages."""
    page = viewer.text(f"/products/{SHIRT}")
    text = cells(page)
    assert re.search(r"M 43 in stock 5 the shop&#39;s 100 days", text), text
    assert re.search(r"L 4 low stock 5 the shop&#39;s none sold lately", text)
    assert 'href="/sales/cs_kept"' in page
    assert "zoe@example.com" in page


def test_products_have_a_line_of_their_last_days(viewer: Visitor) -> None:
    """Drawn by us, with words for those who don't see it."""
    page = viewer.text("/products")
    lines = re.findall(r"<svg.*?<title>(.*?)</title><polyline points=\"([^\"]+)\"", page)
    words, points = lines[1]
    assert words == "Blue shirt: from 0 to 47 units in 14 days, between 0 and 47"
    assert len(points.split()) == 14
    assert points.split()[-1] == "100.0,2.0"
    assert lines[0][0].startswith("&lt;b&gt;Mug&lt;/b&gt;")
    assert {point.split(",")[1] for point in lines[0][1].split()} == {"22.0"}


def test_when_a_size_is_low_is_changed_on_its_page(own: Site) -> None:
    """Of one size or the whole product, and back to what applies above; what is no number changes nothing."""
    operator, path = own.visitor(), f"/products/{SHIRT}/threshold"
    assert "Size L is low at 3 or below." in operator.post(path, of="size:L", units="3").text
    page = cells(operator.post(path, of="all", units="50").text)
    assert re.search(r"L 4 in stock 3 none", page), page
    assert re.search(r"M 40 low stock 50 the product&#39;s", page)
    for wrong in ("-1", "x", "1.5", "1000000"):
        assert operator.post(path, of="all", units=wrong).status_code == 422
    assert operator.post(path, of="size:XXL", units="1").status_code == 422
    assert "low at 50" not in operator.post(path, of="all", units="").text
    assert re.search(r"M 40 in stock 5 the shop", cells(operator.text(f"/products/{SHIRT}")))


@pytest.mark.parametrize("path", [*LISTS, "/sales/cs_odd", f"/products/{SHIRT}", "/snapshots"])
def test_viewers_get_no_forms(viewer: Visitor, operator: Visitor, path: str) -> None:
    """But for logging out; nothing from outside is markup for anybody."""
    assert re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', viewer.text(path)) == ["/logout"]
    for page in (viewer.text(path), operator.text(path)):
        assert not re.search(r"<(b|i|XXL|the|failed|17)>", page)


def test_viewers_change_nothing(site: Site, viewer: Visitor) -> None:
    """Whatever they send, it is refused."""
    before = site.broker.depth(JOBS)
    for path in ("/jobs/recover/run", f"/products/{SHIRT}/threshold", "/dead-letters/sales/replay"):
        assert viewer.post(path, of="all", units="3").status_code == 403
    assert site.broker.depth(JOBS) == before
    assert len(PAGES) >= 9


class Explained(psycopg.Cursor[Any]):
    """A cursor that notes the plan of what it executes."""

    plans: ClassVar[list[str]] = []

    def execute(self, query: Query, params: Params | None = None, **options: bool | None) -> Self:
        """Explain it, then do it."""
        with psycopg.Cursor(self.connection, row_factory=tuple_row) as plain:
            text = query if isinstance(query, bytes) else str(query).encode()
            plain.execute(b"explain " + text, params)
            self.plans.append("\n".join(row[0] for row in plain.fetchall()))
        return super().execute(query, params, **options)  # pyright: ignore[reportArgumentType] - prepare and binary


@pytest.fixture(scope="module")
def large(postgres: str) -> Iterator[psycopg.Connection[Any]]:
    """A ledger of 60,000 sales, with little else between them, and a cursor that notes plans."""
    with fresh_database(postgres) as dsn:
        database = Database(dsn, name="tests", size=2)
        stock(database)
        database.close()
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                """
                insert into sale (account, session_id, origin, created_at, booked_at, lines)
                select 'self:test', 'cs_' || n, case when n % 5000 = 1 then 'recovery' else 'webhook' end,
                    now() - n * interval '1 minute', now() - n * interval '1 minute', 1
                from generate_series(1, 60000) n
                """
            )
            connection.execute(
                """
                insert into movement (account, product_id, size, delta, kind, source_key, session_id, actor, at)
                select 'self:test', 'prod_shirt', 'M', -1, case when n % 5000 = 0 then 'restock' else 'sale' end,
                    'key ' || n, 'cs_' || n, 'stripe', now() - n * interval '1 minute'
                from generate_series(1, 60000) n
                """
            )
            connection.execute("analyze")
            connection.cursor_factory = Explained
            yield connection


def test_no_page_reads_the_whole_ledger(large: psycopg.Connection[Any]) -> None:
    """The queries of the pages follow indexes to what they show; one that does not is noticed."""
    pages, now = JournalPages(large, ACCOUNT), clock.now()
    middle = Mark(now - timedelta(days=20), "30000")
    Explained.plans.clear()
    for sought in (
        Sought(),
        Sought(SHIRT),
        Sought(SHIRT, Size("M")),
        Sought(SHIRT, None, MovementKind.RESTOCK),
        Sought(None, None, MovementKind.SALE),
        Sought(None, None, MovementKind.RESTOCK),
    ):
        for before in (NEWEST, middle):
            assert pages.movements(sought, before, operations.PAGE + 1)
            pages.looked_until(sought, before)
    for before in (NEWEST_SALE, Mark(middle.at, "cs_30000")):
        for recovered in (False, True):
            found = pages.sales(before, None, operations.PAGE + 1, recovered=recovered)
            assert pages.sold([one.session for one in found])
    pages.of_session(found[0].session)  # pyright: ignore[reportPossiblyUnboundVariable] - the loop ran
    ProductPages(large, ACCOUNT, 5).courses([SHIRT], [now - timedelta(days=1)])
    scans = re.compile(r"Seq Scan on (movement|sale)\b")
    assert len(Explained.plans) > 30
    assert [plan for plan in Explained.plans if scans.search(plan)] == []
    assert any("movement_no_sale" in plan for plan in Explained.plans)
    assert any("sale_recovered" in plan for plan in Explained.plans)
    large.execute("select from movement where actor = 'ada'")
    assert scans.search(Explained.plans[-1])
