from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
import stripe

from services.stripe_simulator.simulator import Simulator
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.store import installations
from shared.topology import PIPELINE, SALES
from tests.support.command import Command, stocksync

SALES_ONLY = ("checkout.session.completed",)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A shop that sold three shirts an hour ago: two webhooks were refused, one event was never made."""
    options: dict[str, Any] = {"webhook_url": "http://127.0.0.1:9/", "webhook_events": SALES_ONLY}
    with Simulator.start(port=0, webhook_secret="whsec_" + "0" * 32, retry_delays=(), **options) as started:
        client = stripe.StripeClient("sk_test_simulator", base_addresses={"api": started.url})
        shirt = client.v1.products.create({"name": "Shirt", "metadata": {"sizes": "M", "stock_M": "9"}}).id
        for count in (2, 1):
            body = {"product": shirt, "size": "M", "count": count}
            requests.post(f"{started.url}/_checkout/paid", json=body, timeout=10).raise_for_status()
            lost = {"kind": "event_lost", "type": "checkout"}
            requests.post(f"{started.url}/_faults", json=lost, timeout=10).raise_for_status()
        requests.post(f"{started.url}/_checkout/age", json={"seconds": 3600}, timeout=10).raise_for_status()
        yield started


@pytest.fixture
def command(database: Database, database_url: str, simulator: Simulator) -> Command:
    """Runs `stocksync recover` on a database that has been here for a month."""
    database.run(lambda connection: installations.current(connection, "testing"))
    with database.transaction() as connection:
        connection.execute("update installation set created_at = now() - interval '30 days'")
    return partial(
        stocksync, "recover", DATABASE_URL=database_url, STRIPE_API_BASE=simulator.url, COLUMNS="150"
    )


@pytest.fixture
def queue(database_url: str) -> Iterator[EmbeddedBroker]:
    """The queue in the test's database."""
    made = EmbeddedBroker(database_url, PIPELINE)
    made.declare()
    yield made
    made.close()


def test_a_dry_run_says_what_is_missing_and_why_and_publishes_nothing(
    command: Command, queue: EmbeddedBroker, simulator: Simulator
) -> None:
    """By default every missed sale is shown with its time and reason, and the queue stays empty."""
    answer = command()
    assert answer.returncode == 0, answer.stderr
    for session in simulator.world.sessions:
        assert session in answer.stdout
    assert answer.stdout.count("its webhook was not delivered") == 2
    assert answer.stdout.count("Stripe made no event for it") == 1
    assert "3 sales and 0 product changes were missed, 0 sales are on their way" in answer.stdout
    assert "Nothing was changed" in answer.stdout
    assert queue.depth(SALES).ready == 0


def test_with_a_yes_the_stock_worker_is_told(command: Command, queue: EmbeddedBroker) -> None:
    """The same sales are put into the queue."""
    answer = command("--yes")
    assert answer.returncode == 0, answer.stderr
    assert "The stock worker was told of all of them." in answer.stdout
    assert queue.depth(SALES).ready == 3


def test_for_machines_it_is_json(command: Command, queue: EmbeddedBroker) -> None:
    """Counts, reasons and each missed sale; nothing is published by that either."""
    told = json.loads(command("--json").stdout)
    assert told["told"] is False
    assert told["missed_sales"] == 3
    assert told["reasons"] == {"its webhook was not delivered": 2, "Stripe made no event for it": 1}
    assert [bool(one["event"]) for one in told["missed"]] == [True, True, False]
    assert queue.depth(SALES).ready == 0


def test_since_says_how_far_back(command: Command) -> None:
    """What was sold before is left out; the future is a wrong call."""
    now = datetime.now(UTC)
    assert (
        command("--since", f"{now:%Y-%m-%dT%H:%M}")
        .stdout.splitlines()[-1]
        .endswith("0 sales and 0 product changes were missed, 0 sales are on their way")
    )
    assert command("--since", "2999-01-01").returncode == 2


def test_since_without_a_zone_is_the_shops(command: Command) -> None:
    """What the clocks of the shop show now is not in the future, wherever the shop is."""
    zone = "Pacific/Kiritimati"
    wall = f"{datetime.now(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
    answer = command("--since", wall, TIME_ZONE=zone)
    assert answer.returncode == 0, answer.stderr
    assert f"since {wall.replace('T', ' ')} +14: 0 sales" in answer.stdout


def test_before_the_first_stock_worker_there_is_nothing_to_recover(
    command: Command, database: Database
) -> None:
    """It says so in one line."""
    with database.transaction() as connection:
        connection.execute("delete from installation")
    answer = command()
    assert answer.returncode == 1
    assert answer.stderr.startswith("stocksync: no stock worker has run on this database yet")
