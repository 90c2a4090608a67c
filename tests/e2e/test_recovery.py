from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import stripe

from demo.stack import running
from shared.database.embedded import EmbeddedPostgres
from tests.support.command import stocksync
from tests.support.postgres import home_folder
from tests.support.waiting import until

QUICK = {"STRIPE_CALLS": "400", "STRIPE_CALLS_PER_ENDPOINT": "200", "JOB_RECOVER": "0 0 1 1 *"}
MISSED, EVENTLESS, IN_TIME = 180, 20, 10
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Stage:
    """A running pipeline: its simulator, its folder, the address of its database."""

    simulator: str
    home: Path
    database: str

    def control(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A call to the simulator's control API."""
        answer = requests.post(self.simulator + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def sell(self, product: str, count: int) -> None:
        """So many customers buy one."""
        self.control("/_checkout/paid", {"product": product, "size": "M", "count": count})

    def shown(self, product: str) -> int:
        """What Stripe shows."""
        found = requests.get(f"{self.simulator}/_dashboard/products/{product}", timeout=30).json()
        return int(found["metadata"]["stock_M"])

    def intended(self, product: str) -> int:
        """What Stripe ought to show."""
        return requests.get(f"{self.simulator}/_oracle", timeout=30).json()["stock"][product]["M"]

    def rows(self, question: bytes) -> list[tuple[Any, ...]]:
        """What the database holds."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(question).fetchall()

    def mails(self, heading: str) -> list[str]:
        """The texts of the mails that say so."""
        files = [path.read_bytes() for path in (self.home / "mail").glob("*.eml")]
        bodies = [message_from_bytes(mail, policy=default).get_body(("plain",)) for mail in files]
        texts = [body.get_content() for body in bodies if body is not None]
        return [text for text in texts if heading in text]

    def stocksync(self, *arguments: str) -> None:
        """Run a command on this machine."""
        ended = stocksync(*arguments, STOCKSYNC_HOME=str(self.home))
        assert ended.returncode == 0, ended.stderr


@pytest.fixture
def stage() -> Iterator[Stage]:
    """The pipeline as one machine runs it."""
    with home_folder() as home, EmbeddedPostgres(home) as address, running(home, **QUICK) as stack:
        yield Stage(stack.simulator, home, address)


@pytest.mark.timeout(300)
def test_sales_whose_webhooks_went_missing_are_healed_by_one_run(stage: Stage) -> None:
    """200 sales without a webhook, 20 of them without an event: Stripe equals the oracle, one alert tells of all."""
    client = stripe.StripeClient("sk_test_shop", base_addresses={"api": stage.simulator})
    product = client.v1.products.create({"name": "Shirt", "metadata": {"sizes": "M", "stock_M": "900"}}).id
    stage.sell(product, IN_TIME)
    until("the sales in time", lambda: stage.shown(product) == 900 - IN_TIME, 60, look=0.2)
    stage.control("/_faults", {"kind": "event_lost", "type": "checkout", "count": EVENTLESS})
    stage.control("/_faults", {"kind": "webhook_drop", "type": "checkout", "count": None})
    stage.sell(product, EVENTLESS)
    stage.sell(product, MISSED)
    stage.control("/_checkout/age", {"seconds": HOUR})
    stage.rows(b"update installation set created_at = now() - interval '1 day' returning id")
    assert stage.shown(product) == 900 - IN_TIME
    stage.stocksync("jobs", "run", "recover")
    until("Stripe to equal the oracle", lambda: stage.shown(product) == stage.intended(product), 90, look=0.2)
    assert stage.shown(product) == 900 - IN_TIME - MISSED - EVENTLESS
    sold = stage.rows(
        b"select origin, reason, count(*), min(delay), max(delay) from sale group by 1, 2 order by 3"
    )
    assert [row[:3] for row in sold] == [
        ("webhook", "", IN_TIME),
        ("recovery", "Stripe made no event for it", EVENTLESS),
        ("recovery", "its webhook was not delivered", MISSED),
    ]
    for *_, shortest, longest in sold[1:]:
        assert timedelta(seconds=HOUR) <= shortest <= longest < timedelta(seconds=HOUR + 120)
    told = b"select facts->>'recovered' from alert where kind = 'sale_recovered'"
    until("people to be told", lambda: bool(stage.mails("Sales that no webhook told of")), 60, look=0.2)
    assert stage.rows(told) == [(str(MISSED + EVENTLESS),)]
    (mail,) = stage.mails("Sales that no webhook told of")
    assert f"{MISSED + EVENTLESS} sales" in mail
    assert stage.rows(b"select count(*) from movement where kind = 'sale'") == [
        (IN_TIME + MISSED + EVENTLESS,)
    ]
