from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from shared import clock
from shared.store import journal_pages
from shared.store.jobs import Jobs
from shared.topology import JOBS
from shared.vocabulary import MovementKind
from tests.support.command import stocksync
from tests.support.pages import ACCOUNT, Browser, Pages, add_people, served, words
from tests.support.past import SHIRT, move, runs, sell, stock


@pytest.fixture
def own(database_url: str) -> Iterator[Pages]:
    """The pages of a shop of the test's own, with two products."""
    with served(database_url) as made:
        add_people(made.database, olga="operator", viola="viewer")
        stock(made.database)
        yield made


def _walked(visitor: Browser, path: str, pattern: str, between: Callable[[], None]) -> list[str]:
    found: list[str] = []
    while path:
        page = visitor.see(path)
        found += re.findall(pattern, page)
        between()
        older = re.search(r'href="([^"]+)" rel="next"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    return found


def test_no_movement_is_lost_or_doubled_between_pages(own: Pages) -> None:
    """Those that happened at one moment are told apart, and new ones move nothing."""
    begun = clock.now() - timedelta(hours=1)
    for number in range(4):
        some = [("M", 1, MovementKind.RESTOCK, f"entry {number}-{n}") for n in range(30)]
        move(own.database, *some, at=begun + timedelta(minutes=number // 2))

    def more() -> None:
        move(own.database, *[("M", 1, MovementKind.RESTOCK, "newer")] * 7, at=clock.now())

    for path in ("/movements", "/movements?kind=restock", "/movements?product=Blue"):
        found = _walked(own.browser("viola"), path, r"<td>entry (\d-\d+)</td>", more)
        assert len(found) == 120
        assert set(found) == {f"{number}-{n}" for number in range(4) for n in range(30)}


def test_no_sale_is_lost_or_doubled_between_pages(own: Pages) -> None:
    """Those that were booked together are told apart, and new ones move nothing."""
    begun, count = clock.now() - timedelta(hours=1), iter(range(1000))
    for hour in range(2):
        some = [f"cs_old{number}" for number in range(60 * hour, 60 * hour + 60)]
        sell(own.database, some, at=begun + timedelta(minutes=hour), origin="recovery", reason="late")

    def more() -> None:
        sell(own.database, [f"cs_new{next(count)}"], at=clock.now(), origin="recovery")

    for path in ("/sales", "/sales?recovered=yes"):
        found = _walked(own.browser("viola"), path, r'href="/sales/cs_old(\d+)"', more)
        assert len(found) == 120
        assert len(set(found)) == 120


def test_what_is_rare_is_looked_for_a_part_at_a_time(own: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page says how far it looked, and the next one goes on there."""
    monkeypatch.setattr(journal_pages, "LOOK", 20)
    begun = clock.now() - timedelta(hours=1)
    move(own.database, ("L", 1, MovementKind.RETURNED, "the rare one"), at=begun)
    move(own.database, *[("M", 1, MovementKind.RESTOCK, "x")] * 50, at=begun + timedelta(minutes=1))
    visitor = own.browser("viola")
    assert "looks further back" in visitor.see("/movements", product=SHIRT, size="L")
    found = _walked(visitor, f"/movements?product={SHIRT}&size=L", "the rare one", lambda: None)
    assert found == ["the rare one"]


def test_a_job_that_ended_says_what_it_did(own: Pages) -> None:
    """With its figures or its error, in order, and nothing is asked for again."""
    runs(own.database, "verify", *["done", "failed"] * 30)
    viola = own.browser("viola")
    assert "hx-trigger" not in viola.see("/jobs")
    assert "done looked at 0" in words(viola.see("/jobs"))
    assert "failed &lt;Stripe&gt;" in words(viola.see("/jobs/verify"))
    found = _walked(viola, "/jobs/verify", r"looked at (\d+)", lambda: None)
    assert found == [str(number) for number in range(0, 60, 2)]


def test_run_now_is_what_the_command_does(own: Pages, database_url: str) -> None:
    """A run that names who wanted it, and a message to the reconciler; then the page is live."""
    olga = own.browser("olga")
    done = olga.done("/jobs/snapshot/run")
    assert "snapshot is to run now." in done
    assert 'hx-trigger="every 2s"' in done
    assert own.broker.depth(JOBS).ready == 1
    assert stocksync("jobs", "run", "snapshot", DATABASE_URL=database_url).returncode == 0
    assert own.broker.depth(JOBS).ready == 2
    with own.database.transaction() as connection:
        asked, clicked = Jobs(connection, ACCOUNT).history("snapshot")
    assert (clicked.actor, clicked.state, clicked.reason) == ("olga", asked.state, asked.reason)
    assert olga.send("/jobs/nothing/run").status_code == 404


def test_when_a_size_is_low_is_changed_on_its_page(own: Pages) -> None:
    """Of one size or the whole product, and back to what applies above; what is no number changes nothing."""
    olga, path = own.browser("olga"), f"/products/{SHIRT}/threshold"
    assert "Size L is low at 3 or below." in olga.done(path, of="size:L", units="3")
    page = words(olga.done(path, of="all", units="50"))
    assert re.search(r"L 4 in stock 3 none", page), page
    assert re.search(r"M 40 low stock 50 the product&#39;s", page)
    for wrong in ("-1", "x", "1.5", "1000000"):
        assert olga.send(path, of="all", units=wrong).status_code == 422
    assert olga.send(path, of="size:XXL", units="1").status_code == 422
    assert "low at 50" not in olga.done(path, of="all", units="")
    assert re.search(r"M 40 in stock 5 the shop", words(olga.see(f"/products/{SHIRT}")))
