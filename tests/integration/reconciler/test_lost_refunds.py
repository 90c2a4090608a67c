from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.backoffice.operations import recover as operations
from services.stock_worker.handlers import on_sales
from services.stock_worker.refunds import Desk, on_refund
from services.stock_worker.returns import Policy
from services.stripe_simulator.simulator import Simulator
from shared.messages import RefundChanged
from shared.outcomes import Done, Ignored
from shared.topology import REFUNDS
from shared.vocabulary import RefundId
from tests.integration.reconciler.missed import FIGURES, SALES_ONLY, Scene, told
from tests.integration.stock_worker.returning import disputed, refunded
from tests.integration.stock_worker.shop import ACCOUNT


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A simulator without webhooks of refunds: Stripe counts their events as delivered."""
    with Simulator.start(port=0, webhook_events=SALES_ONLY) as started:
        yield started


def lost(scene: Scene) -> tuple[RefundId, RefundId]:
    """A refund and a dispute of two booked sales, an hour ago, whose messages were purged from the queue."""
    shirt = scene.shop.product(sizes="M", stock_M="10")
    scene.shop.sync(shirt)
    first, second = scene.sell(shirt, 2)
    on_sales([told(first), told(second)], scene.shop.deps)
    found = refunded(scene.shop, first), disputed(scene.shop, second)
    scene.age()
    return found


def waiting(scene: Scene) -> list[RefundChanged]:
    """Take what waits in the queue of refunds out of it."""
    return [one for one in scene.waiting(REFUNDS) if isinstance(one, RefundChanged)]


def desk(scene: Scene, policy: Policy = Policy.PROPOSE) -> Desk:
    return Desk(ACCOUNT, scene.tools.database, scene.tools.stripe, policy)


def test_refunds_and_disputes_lost_with_a_purged_queue_are_told_of_again(scene: Scene) -> None:
    """What was answered and whose message is gone is found by the next run, once, and asked about."""
    refund, dispute = lost(scene)
    shown = operations.recover(scene.places)
    found = int(str(scene.run()["missed_refunds"]))
    assert found == shown.tally.refunds
    assert scene.run() == FIGURES  # its message waits
    messages = waiting(scene)
    assert ({one.refund for one in messages}, len(messages)) == ({refund, dispute}, found)
    outcomes = [on_refund(one, desk(scene)) for one in messages]
    assert sum(isinstance(one, Done) for one in outcomes) == 2
    assert scene.run() == FIGURES
    assert waiting(scene) == []


def test_refunds_that_nobody_is_asked_about_are_not_told_of_for_ever(scene: Scene) -> None:
    """With REFUND_RESTOCK=off a refund is in the delivery log as well."""
    lost(scene)
    scene.run()
    off = desk(scene, Policy.OFF)
    assert {type(on_refund(one, off)) for one in waiting(scene)} == {Ignored}
    assert scene.run() == FIGURES


def test_refunds_in_the_dead_letters_are_not_told_of_again(scene: Scene) -> None:
    """They are told of as dead letters, and more runs do not multiply them."""
    lost(scene)
    found = scene.run()["missed_refunds"]
    scene.park(REFUNDS)
    assert scene.run() == FIGURES
    assert scene.queue.depth(REFUNDS).dead == found


def test_refunds_of_just_now_are_in_transit(scene: Scene) -> None:
    """Their webhooks may be on the way."""
    shirt = scene.shop.product(sizes="M", stock_M="10")
    scene.shop.sync(shirt)
    (session,) = scene.sell(shirt)
    on_sales([told(session)], scene.shop.deps)
    refunded(scene.shop, session)
    assert "missed_refunds" not in scene.run()
