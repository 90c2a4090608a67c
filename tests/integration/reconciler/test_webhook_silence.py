from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.stock_worker.handlers import on_sales
from services.stripe_simulator.simulator import Simulator
from shared.broker import runtime
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.vocabulary import EventId, ProductId, SessionId
from tests.integration.reconciler.missed import HOUR, Scene, open_scene, told

SIX_HOURS = timedelta(hours=6)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A simulator whose webhooks nobody wants."""
    with Simulator.start(port=0) as started:
        yield started


@pytest.fixture
def scene(simulator: Simulator, database: Database, queue: EmbeddedBroker) -> Scene:
    """A shop that sold something an hour ago; the pipeline has been running all day, a run every quarter hour."""
    scene = open_scene(simulator, database, queue, SIX_HOURS)
    ran(scene, b"now() - interval '24 hours'", b"now() - interval '5 minutes'")
    return scene


@pytest.fixture
def sold(scene: Scene) -> SessionId:
    """What was sold an hour ago, and is booked, by whatever way."""
    product = ProductId(scene.shop.product(sizes="M", stock_M="10"))
    (session,) = scene.sell(product)
    scene.age()
    with scene.worker():
        scene.run(replace(scene.tools, silence=timedelta()))
    return session


def ran(scene: Scene, since: bytes, until: bytes) -> None:
    """Runs of the job every quarter of an hour between these times."""
    scene.execute(
        b"insert into job_run (account, job, planned_at, state, actor, started_at, finished_at)"
        b" select 'self:test', 'recover', at, 'done', 'schedule', at, at + interval '2 seconds'"
        b" from generate_series(" + since + b", " + until + b", interval '15 minutes') as at"
    )


def silence(scene: Scene) -> list[str]:
    """The reasons of the open alerts of silence."""
    with scene.tools.database.transaction() as connection:
        rows = connection.execute(
            "select facts->>'reason' from alert where kind = 'webhook_silence' and resolved_at is null"
        )
        return [str(row[0]) for row in rows]


def hear(scene: Scene, session: SessionId, hours: int) -> None:
    """A webhook came so many hours ago."""
    event = EventId(f"evt_{hours}")
    on_sales([told(session).model_copy(update={"event": event})], scene.shop.deps)
    scene.execute(b"update delivery set arrived_at = now() - interval '%d hours'" % hours)


def test_sales_without_any_webhook_are_told_of_once(scene: Scene, sold: SessionId) -> None:
    """Stripe shows a sale of an hour ago, and the last webhook came seven hours ago: one alert, until one comes."""
    hear(scene, sold, 7)
    scene.run()
    scene.run()
    (reason,) = silence(scene)
    assert reason.startswith("Stripe shows a sale of ")
    assert "of webhooks the last came" in reason
    hear(scene, sold, 0)
    scene.run()
    assert silence(scene) == []


def test_a_webhook_within_the_hours_is_no_silence(scene: Scene, sold: SessionId) -> None:
    """One that came five hours ago proves the way, whatever was sold since."""
    hear(scene, sold, 5)
    scene.run()
    assert silence(scene) == []


def test_a_quiet_night_is_no_silence(scene: Scene, sold: SessionId) -> None:
    """Without a sale in the last hours nobody can know, and an open alert stays."""
    scene.run()
    assert len(silence(scene)) == 1
    scene.age(8 * HOUR)
    scene.run()
    assert len(silence(scene)) == 1
    scene.execute(b"delete from alert")
    scene.run()
    assert silence(scene) == []
    assert sold


def test_webhooks_that_wait_for_the_stock_worker_are_no_silence(scene: Scene, sold: SessionId) -> None:
    """While the stock worker is down webhooks come and nobody handles them: people hear of that, not of silence."""
    hear(scene, sold, 7)
    scene.queue.publish(runtime.outgoing(told(sold)))
    scene.run(patience=0.1)
    assert silence(scene) == []
    scene.waiting()
    scene.run()
    assert len(silence(scene)) == 1, "the control: nothing waits"


def test_what_was_sold_while_the_pipeline_was_off_is_no_silence(scene: Scene, sold: SessionId) -> None:
    """After two days off the first runs find sales that no webhook could tell of; nobody is alarmed by that."""
    hear(scene, sold, 48)
    scene.execute(b"delete from job_run where planned_at > now() - interval '12 hours'")
    scene.run()
    ran(scene, b"now() - interval '20 minutes'", b"now()")
    scene.run()
    assert silence(scene) == []
    scene.execute(b"delete from job_run")
    ran(scene, b"now() - interval '3 hours'", b"now()")
    scene.run()
    assert len(silence(scene)) == 1, "the control: awake for long enough to hear of it"


def test_recovered_events_are_no_webhooks(scene: Scene, sold: SessionId) -> None:
    """What recovery told of does not count as heard."""
    recovered = told(sold).model_copy(update={"event": EventId("evt_1"), "origin": "recovery"})
    on_sales([recovered], scene.shop.deps)
    scene.run()
    assert silence(scene)[0].endswith("of webhooks none ever came")


def test_it_can_be_switched_off(scene: Scene, sold: SessionId) -> None:
    """With 0 hours nothing is told, and what was told before is over."""
    scene.run()
    assert len(silence(scene)) == 1
    scene.run(replace(scene.tools, silence=timedelta()))
    assert silence(scene) == []
    assert sold
