from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Thread

import pytest

from services.reconciler import looking, verify
from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.findings import Cause, NewFinding
from shared.store.findings import Findings, retell
from shared.topology import PRODUCTS as QUEUE
from shared.vocabulary import ProductId, Size
from tests.integration.reconciler.stage import Stage, built
from tests.integration.stock_worker.shop import ACCOUNT
from tests.support.waiting import until


def test_looks_change_nothing(stage: Stage) -> None:
    """A verification of a sound shop leaves movements, writes, known states and products as they were."""
    stage.shirts(3)
    kept = "select (select count(*) from movement), (select count(*) from write), (select count(*) from known_state)"
    with stage.tools.database.transaction() as connection:
        before = connection.execute(kept).fetchone()
        products = connection.execute("select * from product order by id").fetchall()
    done = stage.job("verify")
    with stage.tools.database.transaction() as connection:
        assert connection.execute(kept).fetchone() == before
        assert connection.execute("select * from product order by id").fetchall() == products
        assert connection.execute("select count(*) from product_look").fetchone() == (0,)
    assert {key: done.figures[key] for key in ("products", "sizes", "candidates", "confirmed")} == {
        "products": 3,
        "sizes": 6,
        "candidates": 0,
        "confirmed": 0,
    }


def test_what_nobody_looked_at_is_no_finding(
    database: Database, queue: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the stock worker does not answer, candidates are counted as undecided, and findings stay as they are."""
    monkeypatch.setattr(looking, "PATIENCE", 0.5)
    monkeypatch.setattr(looking, "PER_PRODUCT", 0.0)
    with built(database, queue, working=False) as stage:
        edited, known = stage.shirts(2)
        with database.transaction() as connection:
            Findings(connection, ACCOUNT).see([NewFinding(Cause.NOT_A_NUMBER, known, Size("S"))])
        for product in (edited, known):
            stage.shop.dashboard(product, stock_S="3")
        done = stage.job("verify")
        assert (done.figures["confirmed"], done.figures["undecided"], done.figures["over"]) == (0, 2, 0)
        assert [(one.product, one.state) for one in stage.findings()] == [(known, "open")]


def test_only_so_many_products_are_looked_at_in_one_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one run leaves out waits for the next, and what was never seen comes last."""
    monkeypatch.setattr(verify, "MOST_NEW", 1)
    (edited,) = stage.shirts(1)
    stage.shop.dashboard(edited, stock_S="77")
    for _ in range(3):
        stage.shop.product(stock="1")
    done = stage.job("verify")
    assert (done.figures["candidates"], done.figures["undecided"]) == (4, 2)
    assert Counter(one.cause for one in stage.findings()) == {"edited": 1, "never_seen": 1}
    stage.job("verify")
    assert Counter(one.cause for one in stage.findings()) == {"edited": 1, "never_seen": 2}


def test_what_no_sync_mends_keeps_no_other_from_its_turn(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more suspects than one run looks at, those looked at longest ago are next: all are found in time."""
    monkeypatch.setattr(verify, "MOST_LOOKED_AT", 1)
    shirts = sorted(stage.shirts(3))
    for shirt in shirts:
        stage.shop.dashboard(shirt, stock_S="3 pcs")
    for looked in (1, 2, 3, 3):
        assert stage.job("verify").figures["undecided"] == 2
        assert [one.product for one in stage.findings("open")] == shirts[:looked]
    seen = {one.product: one.last_seen_at for one in stage.findings("open")}
    assert max(seen, key=seen.__getitem__) == shirts[0]


def test_fault_102_ten_thousand_findings_are_one_alert(stage: Stage) -> None:
    """All that is open is one alert: how many of each cause, and the first twenty; further ones are told again once."""
    database = stage.tools.database
    many = [NewFinding(Cause.NOT_A_NUMBER, ProductId(f"prod_{n}"), Size("S"), "Shirt") for n in range(10_000)]
    with database.transaction() as connection:
        assert len(Findings(connection, ACCOUNT).see(many)) == 10_000
        (told,) = retell(connection, ACCOUNT, news=True)
        assert retell(connection, ACCOUNT, news=False) == []
        assert Findings(connection, ACCOUNT).see(many[:5]) == []
        Findings(connection, ACCOUNT).see([NewFinding(Cause.EDITED, ProductId("prod_1"), Size("S"))])
        assert retell(connection, ACCOUNT, news=True) == [told]
        ((facts, revision),) = connection.execute("select facts, revision from alert").fetchall()
    assert [one["findings"] for one in facts["counts"]] == [10_000, 1]
    assert len(facts["findings"]) == 20
    assert revision == 2


def test_the_second_look_waits_as_long_as_the_first_had_to(stage: Stage) -> None:
    """Where the stock worker is behind, so is the webhook of an edit: it is heard of before the second look."""
    (shirt,) = stage.shirts(1)
    stage.shop.dashboard(shirt, stock_M="33")
    with ThreadPoolExecutor(1) as pool:
        with stage.tools.database.transaction() as connection:
            connection.execute("select from product where id = %s for update", (shirt,))
            run = pool.submit(stage.job, "verify")
            until("the worker to be held up", lambda: stage.tools.broker.depth(QUEUE).ready == 1)
            Event().wait(BEHIND)
        until("the first look", lambda: looked_at(stage) == 1)
        Event().wait(BEHIND / 3)
        stage.webhook(shirt, 1)
        figures = run.result().figures
    assert (figures["candidates"], figures["confirmed"]) == (1, 0)
    assert stage.findings() == []
    assert stage.shop.stock(shirt) == {"S": "49", "M": "33"}


RUNS, PRODUCTS = 15, 60
IN_HAND = 10
"""Products that may wait to be synced before the person goes on: a slow worker is not buried in edits."""
LATE = 0.15
"""Seconds that a webhook may take."""


BEHIND = 3.0
"""Seconds that the stock worker is held up: far more than it needs for a webhook."""


def looked_at(stage: Stage) -> int:
    """How many answers wait to be read."""
    with stage.tools.database.transaction() as connection:
        return int(connection.execute("select count(*) from product_look").fetchall()[0][0])


def test_changes_during_the_run_are_no_findings(database: Database, queue: EmbeddedBroker) -> None:
    """While customers buy and a person edits, runs find nothing, though they had to look at some products twice."""
    with built(database, queue) as stage:
        began = clock.monotonic()
        shirts = stage.shirts(PRODUCTS)
        each = (clock.monotonic() - began) / PRODUCTS  # what a product takes on this machine
        stage.tools = replace(stage.tools, confirm_seconds=max(0.5, LATE + 10 * each))
        over, changes = Event(), Counter[str]()

        def sell() -> None:
            draw = random.Random(1)
            while not over.wait(0.15):
                lines = [stage.shop.line(product, "S") for product in draw.sample(shirts, 2)]
                stage.shop.book(stage.shop.sold(*lines))
                changes["sales"] += 2

        def edit() -> None:
            draw = random.Random(2)
            while not over.wait(0.1):
                product = draw.choice(shirts)
                stage.shop.control(
                    f"/_dashboard/products/{product}", {"relative": {"stock_M": draw.randint(1, 9)}}
                )
                changes["edits"] += 1
                over.wait(draw.uniform(0, LATE))  # the webhook takes its time
                stage.webhook(product, changes["edits"])
                until("the worker to keep up", lambda: queue.depth(QUEUE).ready < IN_HAND, 60)

        people = [Thread(target=sell), Thread(target=edit)]
        for person in people:
            person.start()
        runs = [stage.job("verify").figures for _ in range(RUNS)]
        over.set()
        for person in people:
            person.join(30)
        assert stage.findings() == []
        assert min(changes.values()) > RUNS / 3
        # Without the second look these would have been findings.
        assert sum(int(str(figures["candidates"])) for figures in runs) > 0
        assert all(figures["products"] == PRODUCTS for figures in runs)
