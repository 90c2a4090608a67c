from __future__ import annotations

from dataclasses import replace
from threading import Event, Thread

import pytest
import requests

from services.reconciler.jobs import run
from services.reconciler.snapshot import take
from services.stripe_simulator import products
from shared.outcomes import Outage
from shared.store import thresholds
from shared.store.jobs import Jobs
from shared.store.snapshots import Snapshot, SnapshotRow, Snapshots
from shared.vocabulary import ProductId, Size
from tests.integration.reconciler.stage import BEGAN, Stage
from tests.integration.stock_worker.shop import ACCOUNT


class Resting(Event):
    """Nobody stops; how long somebody would have waited for it."""

    def __init__(self) -> None:
        super().__init__()
        self.rests = list[float | None]()

    def wait(self, timeout: float | None = None) -> bool:
        """Not at all."""
        self.rests.append(timeout)
        return False


def latest(stage: Stage) -> Snapshot | None:
    """The last snapshot that was finished."""
    with stage.tools.database.transaction() as connection:
        return Snapshots(connection, ACCOUNT).latest()


def rows(stage: Stage) -> list[SnapshotRow]:
    """Its rows."""
    found = latest(stage)
    assert found is not None
    with stage.tools.database.transaction() as connection:
        return list(Snapshots(connection, ACCOUNT).rows(found.id))


def test_a_snapshot_keeps_every_size_as_the_report_shows_it(stage: Stage) -> None:
    """Each size has its number or text and its status by the threshold that holds; what has no stock is left out."""
    shop = stage.shop
    shirt = shop.product(sizes="S,M,L,XL", stock_S="0", stock_M="5", stock_L="007")
    mug = shop.product(stock="19")
    shop.product(category="books")
    shop.control(f"/_dashboard/products/{mug}", {"active": False})
    shop.sync(mug)
    with stage.tools.database.transaction() as connection:
        assert thresholds.set_for_product(connection, ACCOUNT, mug, 20)
    done = stage.job("snapshot")
    assert {(r.product, r.size): (r.value, r.units, r.status.value, r.active) for r in rows(stage)} == {
        (shirt, "S"): ("0", 0, "OUT OF STOCK", True),
        (shirt, "M"): ("5", 5, "LOW STOCK", True),
        (shirt, "L"): ("007", None, "NOT A NUMBER", True),
        (shirt, "XL"): (None, None, "NO VALUE", True),
        (mug, ""): ("19", 19, "LOW STOCK", False),
    }
    taken = latest(stage)
    assert taken is not None
    assert (taken.actor, taken.reason, taken.planned_at) == ("ada", "a test", done.planned_at)
    assert (taken.products, taken.sizes, taken.units, taken.low, taken.out_of_stock) == (2, 5, 24, 2, 1)
    assert (done.figures["listed"], done.figures["passes"]) == (3, 1)


def fill(stage: Stage, count: int) -> list[ProductId]:
    """So many products, oldest first, made in one second."""
    world = stage.simulator.world
    made: list[ProductId] = []
    with world.lock:
        for number in range(count):
            product = products.build({"name": f"Product {number}", "metadata": {"stock": str(number)}})
            product["created"] = 1_700_000_000
            world.products[product["id"]] = product
            made.append(ProductId(product["id"]))
    return made


def test_a_snapshot_goes_to_the_end_of_a_long_list(stage: Stage) -> None:
    """Thousands of products are all there, each once, and are read in parts."""
    made = fill(stage, 2345)
    stage.job("snapshot")
    assert [(row.product, row.units) for row in rows(stage)] == sorted(
        (product, number) for number, product in enumerate(made)
    )


def test_a_lost_cursor_begins_the_list_again(stage: Stage) -> None:
    """Where the product that a page is to follow was deleted, nothing of the first pass is kept."""
    made = fill(stage, 3000)
    stage.simulator.gateway.latency = 0.03
    world, over = stage.simulator.world, Event()

    def tidy() -> None:
        while not over.wait(0.01):
            with stage.tools.database.transaction() as connection:
                found = connection.execute("select exists (select from snapshot_row)").fetchone()
            if found == (True,):
                with world.lock:
                    for product in made[50:]:
                        del world.products[product]
                return

    tidying = Thread(target=tidy)
    tidying.start()
    done = stage.job("snapshot")
    over.set()
    tidying.join(10)
    assert done.figures["passes"] == 2
    assert {row.product for row in rows(stage)} == set(made[:50])


def test_a_list_that_stripe_fails_to_answer_is_begun_again_after_a_rest(stage: Stage) -> None:
    """A few seconds of errors cost another pass, which comes some time after the first."""
    fill(stage, 3)
    resting = Resting()
    stage.shop.fault("status", method="GET", path="^/v1/products", status=503, count=6)
    patient = replace(stage, tools=replace(stage.tools, stop=resting))
    assert patient.job("snapshot").figures["passes"] == 3
    assert resting.rests == [5, 30]


def test_a_snapshot_that_was_not_finished_is_not_shown(stage: Stage) -> None:
    """One that an outage cut off is no snapshot; the run that begins again throws it away."""
    fill(stage, 500)
    stage.job("snapshot")
    before = latest(stage)
    assert before is not None
    shop, database = stage.shop, stage.tools.database
    shop.fault("timeout_before", method="GET", path="/v1/products$", skip=2, count=1000, seconds=0.1)
    with database.transaction() as connection:
        assert Jobs(connection, ACCOUNT).plan("snapshot", BEGAN, actor="ada")
    with pytest.raises(Outage):
        run({"snapshot": take}, "snapshot", BEGAN, stage.tools)
    with database.transaction() as connection:
        assert connection.execute("select count(*) from snapshot").fetchone() == (2,)
        assert Snapshots(connection, ACCOUNT).latest() == before
        assert [number for number, _ in Snapshots(connection, ACCOUNT).taken()] == [before.id]
    requests.delete(f"{shop.url}/_faults", timeout=5).raise_for_status()
    run({"snapshot": take}, "snapshot", BEGAN, stage.tools)
    with database.transaction() as connection:
        assert connection.execute("select count(*) from snapshot").fetchone() == (2,)
        assert len(Snapshots(connection, ACCOUNT).taken()) == 2


def test_a_size_has_its_own_threshold(stage: Stage) -> None:
    """The threshold of one size wins over that of its product."""
    shirt = stage.shop.product(sizes="S,M", stock_S="9", stock_M="9")
    stage.shop.sync(shirt)
    with stage.tools.database.transaction() as connection:
        assert thresholds.set_for_product(connection, ACCOUNT, shirt, 9)
        assert thresholds.set_for_size(connection, ACCOUNT, shirt, Size("M"), threshold=3)
    stage.job("snapshot")
    assert {row.size: row.status.value for row in rows(stage)} == {"S": "LOW STOCK", "M": "IN STOCK"}


def test_old_snapshots_are_thinned_out(stage: Stage) -> None:
    """A new snapshot drops what an older one of the same week makes up for, with its rows; lately all stay."""
    stage.shop.product(stock="19")
    for _ in range(4):
        stage.job("snapshot")
    with stage.tools.database.transaction() as connection:
        connection.execute(
            """
            update snapshot set finished_at = date_trunc('week', now()) + age * interval '1 day'
            from unnest((select array_agg(id order by id) from snapshot), array[-56, -55, -3, -2]) as old (number, age)
            where id = number
            """
        )
        before = [number for number, _ in Snapshots(connection, ACCOUNT).taken()]
    done = stage.job("snapshot")
    assert done.figures["old_ones_dropped"] == 1
    with stage.tools.database.transaction() as connection:
        left = [number for number, _ in Snapshots(connection, ACCOUNT).taken()]
        assert left[:3] == [before[0], *before[2:]]
        assert connection.execute("select count(*) from snapshot_row").fetchone() == (4,)
