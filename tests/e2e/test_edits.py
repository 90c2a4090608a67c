from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from bench.sync import edits, ledger, rush
from bench.sync.finding import Finding, equal
from bench.sync.requests_log import WRITE_PRODUCT
from bench.sync.shop import Shop
from bench.sync.stage import Stage
from demo.stack import running
from services.stock_worker.deps import PACE
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Broker
from shared.broker.rabbitmq import RabbitBroker
from shared.database.embedded import EmbeddedPostgres
from shared.topology import PIPELINE
from tests.e2e.inquest import inquest
from tests.support.postgres import home_folder
from tests.support.rabbitmq import RabbitNode

QUICK = {"STRIPE_CALLS": "400", "STRIPE_CALLS_PER_ENDPOINT": "200"}
PRODUCTS, SALES, EDITS, SECONDS = 8, 300, 40, 3.0
HOT_SALES = 100
LATENCY_MS = 20
PATIENCE = 240.0
"""Seconds: on a machine that is held up a message may be tried again after 5, 30 and 120 s."""


@dataclass(frozen=True, slots=True)
class Site:
    """A pipeline on its stage, its queue, and the folder with its log."""

    stage: Stage
    broker: Broker
    home: Path


@pytest.fixture(scope="module", params=["embedded", "rabbitmq"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """The pipeline as one machine runs it, then with its messages in RabbitMQ."""
    node: RabbitNode | None = request.getfixturevalue("rabbitmq") if request.param == "rabbitmq" else None
    messages = {"AMQP_URL": node.url} if node else {}
    with (
        home_folder() as home,
        EmbeddedPostgres(home) as address,
        running(home, **QUICK, **messages) as stack,
        closing(RabbitBroker(node.url, PIPELINE) if node else EmbeddedBroker(address, PIPELINE)) as broker,
    ):
        yield Site(Stage(Shop(stack.simulator), address), broker, home)


@pytest.mark.timeout(600)
def test_every_sale_and_every_edit_counts(site: Site) -> None:
    """300 sales and 40 Dashboard edits at random moments: Stripe equals the oracle, each edit is a movement."""
    stage, shop = site.stage, site.stage.shop
    shop.open(PRODUCTS)
    shop.live(LATENCY_MS, 250, 500)
    day = edits.plan(shop.variants, (SALES, EDITS), SECONDS, Random(20261124))
    assert edits.play(shop, day, PATIENCE), inquest(stage, site.broker, site.home)
    found = edits.findings(day, shop.outcome(), ledger.read(stage.database, shop.products))
    assert missed(found) == []


def test_a_hot_product_takes_few_writes(site: Site) -> None:
    """A hundred sales of one product share one write a second, and the number is right."""
    stage, shop = site.stage, site.stage.shop
    shop.open(1)
    shop.live(LATENCY_MS, 250, 500)
    sold = rush.play(shop, Counter({shop.variants[0]: HOT_SALES}))
    end = shop.outcome()
    assert sold.seconds is not None, inquest(stage, site.broker, site.home)
    assert equal(end).met, inquest(stage, site.broker, site.home)
    assert 1 <= end.log.count(WRITE_PRODUCT) <= 2 + sold.seconds / PACE


def missed(findings: list[Finding]) -> list[Finding]:
    """What is not as it should be; how many calls a second there may be is not the matter here."""
    return [finding for finding in findings if finding.met is False and "calls" not in finding.what]
