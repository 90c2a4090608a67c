from __future__ import annotations

from threading import Event

from services.stock_worker.handlers import on_sales
from shared.outcomes import RetryLater
from shared.recovery.feed import Feed
from shared.recovery.plan import Missed, Why
from shared.topology import SALES
from shared.vocabulary import EventId, ProductId
from tests.integration.reconciler.missed import FIGURES, HOUR, NO_EVENT, UNDELIVERED, Scene, told
from tests.support.waiting import until


def test_a_sale_that_is_in_the_dead_letters_is_not_told_of_again(scene: Scene, shirt: ProductId) -> None:
    """It waits there for a person, and every run would only add another; once it is gone it is told of."""
    scene.shop.fault("event_lost", type="checkout")
    (session,) = scene.sell(shirt)
    scene.age()
    stray = told(session).model_copy(update={"account": "self:live"})
    Feed(scene.queue, Event()).tell([Missed(stray, Why.UNKNOWN)])
    with scene.worker():
        until("the message to be rejected", lambda: scene.queue.depth(SALES).dead == 1)
    assert scene.run() == {**FIGURES, "in_dead_letters": 1}
    assert _findings(scene) == [("sale_not_booked", session, "open")]
    scene.queue.replay(SALES)
    scene.waiting()
    with scene.worker():
        assert scene.run()["missed_sales"] == 1
        scene.run()
    assert scene.sales().keys() == {session}
    assert _findings(scene) == [("sale_not_booked", session, "resolved")]


def test_a_sale_that_is_being_tried_again_is_in_transit(scene: Scene, shirt: ProductId) -> None:
    """Its webhook came and could not be handled yet: it is told of only when it has been tried for hours."""
    (session,) = scene.sell(shirt)
    event = next(
        EventId(event["id"])
        for event in scene.simulator.world.events.values()
        if event["type"] == "checkout.session.completed"
    )
    scene.age()
    scene.shop.fault("status", path=session, status=503, count=3)
    webhook = told(session).model_copy(update={"event": event})
    assert isinstance(on_sales([webhook], scene.shop.deps)[0], RetryLater)
    assert scene.run() == {**FIGURES, "in_transit": 1}
    assert scene.waiting() == []
    scene.execute(b"update delivery set first_handled_at = now() - interval '7 hours'")
    assert scene.run(patience=0.1)["missed_sales"] == 1


def test_a_booked_session_that_stripe_does_not_show_as_paid_is_remembered(
    scene: Scene, shirt: ProductId
) -> None:
    """It is counted in every run, asked for by id once, and forgotten when Stripe shows it again."""
    session, other = scene.sell(shirt, 2)
    scene.age()
    with scene.worker():
        scene.run()
    hidden = scene.simulator.world.sessions.pop(session)
    scene.reads()
    for calls in (1, 0):
        assert scene.run() == {**FIGURES, "booked_but_not_paid": 1}
        assert scene.reads().get("GET /v1/checkout/sessions/{id}", 0) == calls
    assert _unlisted(scene) == [session]
    assert _findings(scene) == [("sale_unknown", session, "open")]
    scene.simulator.world.sessions = {session: hidden, other: scene.simulator.world.sessions[other]}
    assert scene.run() == FIGURES
    assert _unlisted(scene) == []
    assert _findings(scene) == [("sale_unknown", session, "resolved")]


def test_one_alert_tells_of_all_sales_of_a_run_and_ends_after_a_healthy_one(
    scene: Scene, shirt: ProductId
) -> None:
    """However many sales, however many batches: one alert with count, reasons, first, last and longest delay."""
    first, *_ = scene.sell(shirt, 180)
    scene.age(2 * HOUR)
    scene.shop.fault("event_lost", type="checkout", count=20)
    *_, last = scene.sell(shirt, 20)
    scene.age()
    with scene.worker():
        assert scene.run()["recovered"] == 200
    ((facts, revision),) = scene.alert()
    assert revision == 1
    assert facts["reasons"] == {UNDELIVERED: 180, NO_EVENT: 20}
    assert (facts["recovered"], 3 * HOUR <= facts["delay"] < 3 * HOUR + 120) == (200, True)
    made = {one: scene.simulator.world.sessions[one]["created"] for one in scene.sales()}
    assert (made[facts["first"]], made[facts["last"]]) == (made[first], made[last])
    scene.run()
    assert len(scene.alert()) == 1, "nobody was told yet"
    scene.execute(b"update alert set mailed_at = now()")
    scene.run()
    assert scene.alert() == []


def test_sales_that_are_recovered_soon_after_are_added_without_another_mail(
    scene: Scene, shirt: ProductId
) -> None:
    """While webhooks stay away every run recovers some: the alert counts them, people hear again hours later."""
    _recovered(scene, shirt, 3)
    scene.execute(b"update alert set mailed_at = now() - interval '1 hour'")
    _recovered(scene, shirt, 1)
    assert (scene.alert()[0][0]["recovered"], _is_mailed(scene)) == (4, True)
    scene.execute(b"update alert set mailed_at = now() - interval '7 hours'")
    _recovered(scene, shirt, 2)
    assert (scene.alert()[0][0]["recovered"], _is_mailed(scene)) == (6, False)


def _recovered(scene: Scene, product: ProductId, count: int) -> None:
    """So many sales were missed, and a run recovers them."""
    scene.sell(product, count)
    scene.age()
    with scene.worker():
        assert scene.run()["recovered"] == count


def _is_mailed(scene: Scene) -> bool:
    with scene.tools.database.transaction() as connection:
        return connection.execute("select mailed_at is not null from alert").fetchone() == (True,)


def _findings(scene: Scene) -> list[tuple[str, str, str]]:
    with scene.shop.database.transaction() as connection:
        rows = connection.execute("select cause, subject, state from finding order by id")
        return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]


def _unlisted(scene: Scene) -> list[str]:
    with scene.tools.database.transaction() as connection:
        rows = connection.execute("select session_id from sale where unlisted_since is not null")
        return [str(row[0]) for row in rows]
