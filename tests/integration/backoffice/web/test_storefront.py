from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from services.backoffice.operations.reports.stock import Ledger
from services.backoffice.web.app import create as create_pages
from services.backoffice.web.office import Office, Storefront
from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.topology import PIPELINE
from shared.vocabulary import MovementKind, ProductId, Size
from tests.integration.reports.ledger import ACCOUNT, Entry, append, create
from tests.support.pages import no_stripe
from tests.support.postgres import fresh_database

SHIRT, MUG = ProductId("prod_shirt"), ProductId("prod_mug")
OURS, THEIRS = "https://shop.example", "https://other.example"
PATH = f"/api/v1/stock/{SHIRT}"


@pytest.fixture(scope="module")
def ledger(postgres: str) -> Iterator[Ledger]:
    """A shirt in three sizes, one of them oversold; a mug that nobody has counted."""
    with fresh_database(postgres) as address:
        database = Database(address, name="tests", size=2)
        create(database, {SHIRT: "Shirt"}, ("S", "M", "L"))
        opened = {"S": 20, "M": 3, "L": -1}
        append(
            database,
            [
                Entry(SHIRT, Size(size), units, MovementKind.OPENING, clock.now())
                for size, units in opened.items()
            ],
        )
        yield Ledger(database, ACCOUNT, low_stock=5)
        database.close()


def asked(ledger: Ledger, storefront: Storefront | None) -> FlaskClient:
    """The pages of a shop with that storefront; nobody is logged in."""
    address = "postgresql://nobody@127.0.0.1:1/none"  # no page that is asked for looks at the queue
    with closing(EmbeddedBroker(address, PIPELINE)) as broker:
        office = Office(ledger, broker, ZoneInfo("UTC"), "http://127.0.0.1:8080", no_stripe(), storefront)
        return create_pages(office).test_client()


def test_levels_are_told_and_no_numbers(ledger: Ledger) -> None:
    """A page learns what is gone and what runs low, by size; nothing else of the shop."""
    answer = asked(ledger, Storefront(frozenset({OURS}), units=False)).get(PATH)
    assert answer.status_code == 200
    assert answer.json == {
        "product": SHIRT,
        "sizes": [
            {"size": "S", "status": "in"},
            {"size": "M", "status": "low"},
            {"size": "L", "status": "out"},
        ],
    }


def test_units_are_told_where_the_shop_wants_it_and_never_below_nothing(ledger: Ledger) -> None:
    """Customers are not told that more was sold than there was."""
    answer = asked(ledger, Storefront(frozenset({OURS}), units=True)).get(PATH)
    assert [size["units"] for size in answer.get_json()["sizes"]] == [20, 3, 0]


def test_an_answer_may_be_kept_and_is_asked_about_again(ledger: Ledger) -> None:
    """Who has the answer already gets 304, until the stock changes."""
    client = asked(ledger, Storefront(frozenset({OURS}), units=True))
    first = client.get(PATH)
    assert "public" in first.headers["Cache-Control"]
    assert client.get(PATH, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    append(ledger.database, [Entry(SHIRT, Size("S"), -1, MovementKind.SALE, clock.now(), "cs_9")])
    assert client.get(PATH, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [({OURS}, OURS, OURS), ({OURS}, THEIRS, None), ({OURS}, None, None), ({"*"}, THEIRS, THEIRS)],
)
def test_only_the_shops_own_pages_may_read_it(
    ledger: Ledger, origins: set[str], origin: str | None, allowed: str | None
) -> None:
    """Browsers show the answer to the origins that the shop named; caches keep them apart."""
    headers = {} if origin is None else {"Origin": origin}
    answer = asked(ledger, Storefront(frozenset(origins), units=False)).get(PATH, headers=headers)
    assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_nothing_is_told_unless_it_was_set_up(ledger: Ledger) -> None:
    """Without STOREFRONT_ORIGINS there is no API."""
    answer = asked(ledger, None).get(PATH)
    assert (answer.status_code, "STOREFRONT_ORIGINS" in answer.get_json()["error"]) == (404, True)


@pytest.mark.parametrize("product", [MUG, "prod_%27 or 1=1", "prod_1;drop table"])
def test_a_product_without_stock_is_404(ledger: Ledger, product: str) -> None:
    """What is not known, or is no id at all, is said to keep no stock."""
    client = asked(ledger, Storefront(frozenset({OURS}), units=False))
    assert client.get(f"/api/v1/stock/{product}").status_code == 404


def test_what_no_database_keeps_is_refused(ledger: Ledger) -> None:
    """A NUL in the path is a bad request, not a failure of ours."""
    client = asked(ledger, Storefront(frozenset({OURS}), units=False))
    assert client.get("/api/v1/stock/%00").status_code == 400


def test_it_is_read_only(ledger: Ledger) -> None:
    """Whatever is sent, nothing takes it."""
    client = asked(ledger, Storefront(frozenset({"*"}), units=False))
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert client.open(PATH, method=method, json={"units": 5}).status_code in {400, 405}
