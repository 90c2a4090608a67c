from __future__ import annotations

import json
from functools import partial

import pytest

from shared.database.pool import Connection, Database
from shared.selling import ExpiryState, Offer, StopState
from shared.store.products import Products
from shared.store.selling import Expiries, SellingStops
from shared.vocabulary import PLAIN, ProductId, SessionId, Size, Variant, account_key
from tests.support.command import Command, stocksync

ACCOUNT = account_key(None, livemode=False)
SHIRT = ProductId("prod_shirt")


@pytest.fixture
def command(database_url: str) -> Command:
    """Runs `stocksync selling` on the test's database."""
    return partial(stocksync, "selling", DATABASE_URL=database_url, COLUMNS="200")


@pytest.fixture
def stopped(database: Database) -> None:
    """A link and a product that are off sale, a link that somebody put back, and a session that was expired."""

    def stop(connection: Connection) -> None:
        Products(connection, ACCOUNT).create(SHIRT, "Shirt")
        stops = SellingStops(connection, ACCOUNT)
        link = stops.plan(Offer.LINK, "plink_1", Variant(SHIRT, Size("M")), "selling-1")
        left = stops.plan(Offer.LINK, "plink_2", Variant(SHIRT, Size("L")), "selling-2")
        whole = stops.plan(Offer.PRODUCT, SHIRT, Variant(SHIRT, PLAIN), "selling-3")
        assert link
        assert left
        assert whole
        stops.move(link, StopState.STOPPED, "", over=False)
        stops.move(left, StopState.LEFT, "somebody put it back on sale", over=False)
        stops.move(whole, StopState.STOPPED, "", over=False)
        expiries = Expiries(connection, ACCOUNT)
        expiries.plan(SessionId("cs_1"), Variant(SHIRT, Size("M")))
        expiries.end(SessionId("cs_1"), ExpiryState.EXPIRED)

    database.run(stop)


def _wanted(database: Database) -> dict[str, str]:
    with database.transaction() as connection:
        return dict(connection.execute("select object, wanted_by from selling_stop").fetchall())


def test_a_shop_that_stops_nothing_hears_how_it_could(command: Command) -> None:
    """The empty list names the settings, and is empty for machines."""
    assert "STOP_SELLING" in command("list").stdout
    assert json.loads(command("list", "--json").stdout) == {"stops": [], "expired_sessions": []}


@pytest.mark.usefixtures("stopped")
def test_the_list_says_what_is_off_sale_why_and_since_when(command: Command) -> None:
    """Sizes, products and sessions are named; machines get the same."""
    shown = command("list").stdout
    rows = {" ".join(line.split()) for line in shown.splitlines()}
    assert any(row.startswith("plink_1 link Shirt (prod_shirt), size M stopped ") for row in rows)
    assert any(row.startswith("prod_shirt product Shirt (prod_shirt) stopped ") for row in rows)
    assert any(row.endswith("somebody put it back on sale") for row in rows)
    assert any(row.startswith("cs_1 Shirt (prod_shirt), size M expired ") for row in rows)
    found = json.loads(command("list", "--json").stdout)
    assert {one["object"]: one["state"] for one in found["stops"]} == {
        "plink_1": "stopped",
        "plink_2": "left",
        "prod_shirt": "stopped",
    }
    assert [one["session"] for one in found["expired_sessions"]] == ["cs_1"]
    assert found["stops"][0]["name"] == "Shirt"
    assert "key" not in found["stops"][0]


@pytest.mark.usefixtures("stopped")
def test_resume_records_the_wish_and_no_more(command: Command, database: Database) -> None:
    """The stock worker finds it, with who wants it; the other stops stay as they are."""
    done = command("resume", "plink_1")
    assert (done.returncode, "plink_1 goes back on sale" in done.stdout) == (0, True)
    wanted = _wanted(database)
    assert wanted.pop("plink_1")
    assert set(wanted.values()) == {""}
    assert json.loads(command("resume", "prod_shirt", "--json").stdout)["object"] == "prod_shirt"


@pytest.mark.usefixtures("stopped")
def test_resume_refuses_what_is_not_off_sale(command: Command, database: Database) -> None:
    """One clear line each: a link that nobody stopped, and one that is on sale again."""
    for thing, words in (("plink_9", "was not taken off sale"), ("plink_2", "is on sale already")):
        refused = command("resume", thing)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert words in refused.stderr
    assert set(_wanted(database).values()) == {""}
