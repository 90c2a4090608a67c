from __future__ import annotations

import json
from functools import partial

import pytest

from shared import clock
from shared.database.pool import Connection, Database
from shared.store.movements import Movements
from shared.store.products import Products
from shared.store.refunds import Refund, Refunds
from shared.vocabulary import (
    Movement,
    MovementKind,
    ProductId,
    RefundId,
    SessionId,
    Size,
    account_key,
)
from tests.support.command import Command, stocksync

ACCOUNT = account_key(None, livemode=False)
MUG, SESSION = ProductId("prod_mug"), SessionId("cs_1")


@pytest.fixture
def command(database_url: str) -> Command:
    """Runs `stocksync refunds` on the test's database."""
    return partial(stocksync, "refunds", DATABASE_URL=database_url, COLUMNS="200")


@pytest.fixture
def asked(database: Database) -> None:
    """Three mugs of one session: a refund asks about one of them, a dispute about the others."""

    def ask(connection: Connection) -> None:
        products = Products(connection, ACCOUNT)
        products.create(MUG, "Mug")
        products.save_sizes(MUG, {Size(""): "managed"}, opened=[Size("")])
        sale = Movement(ACCOUNT, MUG, Size(""), -3, MovementKind.SALE, f"sale:{SESSION}:li_1", SESSION)
        Movements(connection, ACCOUNT).append([sale])
        refunds = Refunds(connection, ACCOUNT)
        for name, units in (("re_1", 1), ("dp_1", 2)):
            made = Refund(
                RefundId(name), SESSION, "partial", "exact", 900 * units, "eur", "open", clock.now()
            )
            refunds.propose(made, refunds.booked(SESSION), [units])

    database.run(ask)


@pytest.mark.usefixtures("asked")
def test_disputes_are_listed_among_refunds_and_decided_like_them(command: Command) -> None:
    """The list says which is which; a dispute is accepted by its id, and once."""
    shown = command("list").stdout
    assert "9.00 EUR (partial refund)" in shown
    assert "18.00 EUR (partial dispute)" in shown
    found = json.loads(command("list", "--json").stdout)
    assert {one["refund"]["id"]: one["dispute"] for one in found} == {"re_1": False, "dp_1": True}
    accepted = command("accept", "dp_1", "--reason", "never left")
    assert (accepted.returncode, "dp_1: back in stock of prod_mug" in accepted.stdout) == (0, True)
    assert "accepted by" in command("accept", "dp_1").stderr
    assert command("dismiss", "re_1").returncode == 0
    assert "no refund or dispute waits" in command("list").stdout
