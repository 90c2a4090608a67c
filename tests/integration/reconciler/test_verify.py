from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Thread

import pytest

from services.reconciler import looking, verify
from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.findings import Cause, NewFinding
from shared.store import repairs
from shared.store.findings import Findings, retell
from shared.topology import PRODUCTS as QUEUE
from shared.vocabulary import ProductId, Size
from tests.integration.reconciler.conftest import ACCOUNT
from tests.integration.reconciler.stage import Stage, built
from tests.support.waiting import until


@pytest.fixture
def stage(database: Database, queue: EmbeddedBroker) -> Iterator[Stage]:
    """A shop, its stock worker, and jobs."""
    with built(database, queue) as made:
        yield made


def _old_form(stage: Stage, product: ProductId) -> None:
    form = stage.shop.metadata(product)
    stage.shop.book(stage.shop.sold(stage.shop.line(product, "M", 2)))
    stage.shop.dashboard(product, **form)


def _copied(stage: Stage, product: ProductId) -> None:
    (other,) = stage.shirts(1)
    stage.shop.dashboard(product, stock_rev=stage.shop.metadata(other)["stock_rev"])


def _lost_write(stage: Stage, product: ProductId) -> None:
    stage.execute(
        "insert into movement (account, product_id, size, delta, kind, source_key, actor)"
        " values ('self:test', %s, 'S', -4, 'adjustment', 'by hand', 'eve')",
        product,
    )


def _stuck(stage: Stage, product: ProductId) -> None:
    stage.shop.changed(product)
    stage.execute(
        "update write set state = 'PENDING', planned_at = now() - interval '1 hour' where product_id = %s",
        product,
    )


def _altered(stage: Stage, product: ProductId) -> None:
    stage.execute("update variant set on_hand = on_hand + 3 where product_id = %s and size = 'S'", product)


Corrupt = Callable[[Stage, ProductId], None]


def typed(**absolute: str) -> Corrupt:
    """Somebody types this into the Dashboard, and no webhook comes."""
    return lambda stage, product: stage.shop.dashboard(product, **absolute)


CORRUPTIONS: dict[str, tuple[Corrupt, Cause, str]] = {
    "a number": (typed(stock_S="77"), Cause.EDITED, "resolved"),
    "a size more": (typed(sizes="S,M,L", stock_L="9"), Cause.EDITED, "resolved"),
    "a size less": (typed(sizes="S", stock_M=""), Cause.SIZE_REMOVED, "open"),
    "a word": (typed(stock_S="3 pcs"), Cause.NOT_A_NUMBER, "open"),
    "no marker": (typed(stock_rev=""), Cause.MARKER_MISSING, "resolved"),
    "another marker": (typed(stock_rev="mine"), Cause.MARKER_CHANGED, "open"),
    "a copied marker": (_copied, Cause.MARKER_CHANGED, "open"),
    "a foreign marker": (typed(stock_rev="1:elsewhere:3:00000000"), Cause.MARKER_FOREIGN, "open"),
    "an old form": (_old_form, Cause.OLD_FORM, "resolved"),
    "no product": (lambda stage, product: stage.delete(product), Cause.PRODUCT_DELETED, "resolved"),
    "a lost write": (_lost_write, Cause.WRITE_LOST, "resolved"),
    "a stuck write": (_stuck, Cause.WRITE_LOST, "resolved"),
    "a ledger by hand": (_altered, Cause.LEDGER_ALTERED, "open"),
}


def test_every_kind_of_corruption_is_found_once_with_its_cause(stage: Stage) -> None:
    """Each is found in the first run, what a sync mends is mended, and a second run doubles nothing."""
    sound = stage.shirts(5)
    victims = dict(zip(CORRUPTIONS, stage.shirts(len(CORRUPTIONS)), strict=True))
    for kind, product in victims.items():
        CORRUPTIONS[kind][0](stage, product)
    strange = stage.shop.product(sizes="S", stock_S="4")  # and nobody was told
    first = stage.job("verify")
    found = {(one.product, one.cause): one.state for one in stage.findings()}
    expected = {(victims[kind], cause.value): state for kind, (_, cause, state) in CORRUPTIONS.items()}
    assert found == {**expected, (strange, "never_seen"): "resolved"}
    assert (first.figures["confirmed"], first.figures["new"]) == (len(found), len(found))
    assert first.figures["healed"] == Counter(found.values())["resolved"]
    assert not {one.product for one in stage.findings()} & set(sound)
    second = stage.job("verify")
    assert Counter((one.product, one.cause) for one in stage.findings()) == Counter(found.keys())
    assert (second.figures["new"], second.figures["over"]) == (0, 0)
    assert second.figures["confirmed"] == Counter(found.values())["open"]
    assert stage.shop.alerts().count(("finding", "self:test")) == 1


def test_an_edit_whose_webhook_never_came_is_taken_over(stage: Stage) -> None:
    """It is found, the sync that the verification asks for adopts it, and the finding names the movement."""
    (shirt,) = stage.shirts(1)
    stage.shop.dashboard(shirt, stock_M="33")
    stage.job("verify")
    (found,) = stage.findings()
    number = stage.shop.movements(shirt).index(("external", "M", 13))
    assert number > 0
    assert (found.cause, found.size, found.state) == ("edited", "M", "resolved")
    assert found.detail == "it shows 33, 20 was expected"
    assert found.resolution.startswith("the ledger followed: external +13 of size M (movement ")
    assert stage.shop.stock(shirt) == {"S": "49", "M": "33"}
    assert ("finding", "self:test") not in stage.shop.alerts()


def test_what_another_installation_left_can_be_taken_over_after_a_verification(stage: Stage) -> None:
    """A new ledger that never saw a product has nothing to take over; one run puts it in quarantine, untouched."""
    cup = stage.shop.product(stock="4", stock_rev="1:elsewhere:3:00000000")
    with stage.tools.database.transaction() as connection:
        assert repairs.quarantined(connection, ACCOUNT) == []
    stage.job("verify")
    with stage.tools.database.transaction() as connection:
        (found,) = repairs.quarantined(connection, ACCOUNT)
        assert repairs.take_over(connection, ACCOUNT, [found.id]) == {cup}
    assert found.reason == "another installation of stocksync, elsewhere, keeps this product"
    assert stage.shop.stock(cup) == {"": "4"}
    stage.shop.sync(cup)
    assert stage.shop.metadata(cup)["stock_rev"].startswith("1:testing:")


def test_what_is_mended_by_hand_is_over_with_the_next_run(stage: Stage) -> None:
    """A finding that a run no longer sees is resolved and says so, and the alert ends with the last one."""
    (shirt,) = stage.shirts(1)
    stage.shop.dashboard(shirt, stock_S="3 pcs")
    assert stage.job("verify").figures["open"] == 1
    assert ("finding", "self:test") in stage.shop.alerts()
    stage.shop.dashboard(shirt, stock_S="30")
    stage.shop.sync(shirt)
    stage.execute("update product set dirty_since = now()")
    stage.shop.sync(shirt)
    done = stage.job("verify")
    assert (done.figures["open"], done.figures["over"]) == (0, 1)
    assert done.figures["oldest_unexplained_seconds"] == 0
    assert [one.state for one in stage.findings()] == ["resolved"]
    assert ("finding", "self:test") not in stage.shop.alerts()


@pytest.mark.parametrize("told", [True, False], ids=["and a webhook told of it", "and no webhook told of it"])
def test_a_size_that_was_taken_away_is_found_after_a_sale_of_another(stage: Stage, told: bool) -> None:
    """Its field is gone before the newest write, which does not send it; what a person knows of stays so."""
    early, late = stage.shirts(2)
    stage.shop.dashboard(early, stock_M="")
    if told:
        stage.shop.changed(early)
        stage.shop.sync(early)
    stage.shop.book(stage.shop.sold(stage.shop.line(early, "S")))
    stage.shop.dashboard(late, stock_M="")
    stage.job("verify")
    assert [(one.product, one.cause, one.size) for one in stage.findings("open")] == sorted(
        (product, "size_removed", "M") for product in (early, late)
    )
    with stage.tools.database.transaction() as connection:
        Findings(connection, ACCOUNT).acknowledge([one.id for one in stage.findings()], "ada")
    stage.shop.book(stage.shop.sold(stage.shop.line(late, "S")))
    assert stage.job("verify").figures["over"] == 0
    assert [one.state for one in stage.findings()] == ["acknowledged"] * 2


def test_findings_of_a_run_that_failed_later_are_told_by_the_next(stage: Stage) -> None:
    """What was kept before the run came to its end is news to people though it is not new: told once, as it is."""
    first, second = stage.shirts(2)
    stage.shop.dashboard(first, stock_S="3 pcs")
    stage.job("verify")
    stage.shop.dashboard(second, stock_S="4 pcs")
    with stage.tools.database.transaction() as connection:
        Findings(connection, ACCOUNT).see([NewFinding(Cause.NOT_A_NUMBER, second, Size("S"))])
    for _ in range(2):
        assert stage.job("verify").figures["new"] == 0
        with stage.tools.database.transaction() as connection:
            assert connection.execute("select revision from alert where kind = 'finding'").fetchall() == [
                (2,)
            ]


def test_a_ledger_that_was_altered_is_not_written_to_stripe(stage: Stage) -> None:
    """Where the balance is not the sum of its movements no sync is asked for: it would publish the wrong number."""
    (shirt,) = stage.shirts(1)
    _altered(stage, shirt)
    stage.job("verify")
    assert stage.shop.stock(shirt) == {"S": "49", "M": "20"}
    (found,) = stage.findings("open")
    assert found.detail == "the balance is 52, the movements make 49"


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


RUNS, PRODUCTS = 15, 60
IN_HAND = 10
"""Products that may wait to be synced before the person goes on: a slow worker is not buried in edits."""
LATE = 0.15
"""Seconds that a webhook may take."""


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
