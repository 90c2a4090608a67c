from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Thread
from typing import Any, cast

import pytest

from services.backoffice.operations.event_replay import NotAllSent, replay
from services.backoffice.operations.events import Desk
from services.stock_worker import refunds
from services.stock_worker.handlers import on_product, on_sales
from services.stock_worker.refunds import on_refund
from services.stripe_simulator.pay import BUYER
from shared.broker import runtime
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Outgoing, PublishError, Subscription
from shared.messages import SessionPaid
from shared.stripe_api.client import StripeApi
from shared.topology import PIPELINE, PRODUCTS, REFUNDS, SALES
from shared.vocabulary import AccountKey, EventId, ProductId, SessionId
from tests.integration.stock_worker.returning import refunded
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.command import Command, stocksync
from tests.support.waiting import until

COMPLETED = "checkout.session.completed"


@pytest.fixture
def command(shop: Shop, database_url: str) -> Command:
    """Runs `stocksync events` on the test's shop and database."""
    return partial(
        stocksync,
        "events",
        DATABASE_URL=database_url,
        STRIPE_API_BASE=shop.url,
        COLUMNS="250",
        LOG_LEVEL="INFO",
    )


@pytest.fixture
def shirt(shop: Shop) -> ProductId:
    """A shirt of which there are 9."""
    product = shop.product(sizes="M", stock_M="9")
    shop.sync(product)
    return product


@pytest.fixture
def work(shop: Shop, desk: refunds.Desk, queue: EmbeddedBroker) -> Callable[[], None]:
    """Has the stock worker's handlers work off whatever is in its queues."""

    def work_off() -> None:
        stop = Event()
        serve = runtime.Runtime(queue, stop)
        subscriptions = [
            Subscription(SALES, serve.batched(partial(on_sales, deps=shop.deps))),
            Subscription(PRODUCTS, serve.single(partial(on_product, deps=shop.deps))),
            Subscription(REFUNDS, serve.single(partial(on_refund, desk=desk))),
        ]
        consumer = Thread(target=queue.consume, args=(subscriptions, stop))
        consumer.start()
        until("empty queues", lambda: not any(ready(queue).values()))
        stop.set()
        consumer.join(30)

    return work_off


def ready(queue: EmbeddedBroker) -> dict[str, int]:
    """How many messages each of the stock worker's queues holds, in hand or not."""
    return {name: queue.depth(name).ready for name in (SALES, PRODUCTS, REFUNDS)}


def event(shop: Shop, kind: str, about: str) -> str:
    """The newest event of this type about this object."""
    return next(
        one.id
        for one in shop.stripe.v1.events.list({"type": kind, "limit": 100}).data
        if one.to_dict()["data"]["object"]["id"] == about
    )


def heard(shop: Shop, session: SessionId) -> str:
    """The stock worker gets the webhook of a paid session; the event."""
    told = event(shop, COMPLETED, session)
    message = SessionPaid(
        account=ACCOUNT, session=session, event=EventId(told), event_type=COMPLETED, at=datetime.now(UTC)
    )
    shop.follow(on_sales([message], shop.deps))
    return told


def outcomes(command: Command, *options: str) -> dict[str, tuple[str, str]]:
    """What became of each event, and why."""
    done = command("list", "--json", *options)
    assert done.returncode == 0, done.stderr
    return {one["id"]: (one["outcome"], one["why"]) for one in json.loads(done.stdout)}


def test_each_event_is_listed_with_what_became_of_it(shop: Shop, shirt: ProductId, command: Command) -> None:
    """Newest first: booked, never heard of, never paid, looked at; and none that stocksync does not listen to."""
    booked = heard(shop, shop.sold(shop.line(shirt, "M")))
    unheard = event(shop, COMPLETED, shop.sold(shop.line(shirt, "M")))
    cart: Any = {
        "mode": "payment",
        "success_url": "https://shop.example",
        "line_items": [shop.line(shirt, "M")],
    }
    open_one = shop.stripe.v1.checkout.sessions.create(cart).id
    shop.stripe.v1.checkout.sessions.expire(open_one)
    expired = event(shop, "checkout.session.expired", open_one)
    made = event(shop, "product.created", shirt)
    found = outcomes(command)
    assert found[booked] == ("done", "booked")
    assert found[unheard] == ("never heard of", "")
    assert found[expired] == ("ignored", "never paid")
    assert found[made] == ("done", "the product was looked at since")
    order = [one for one in found if one in {booked, unheard, expired, made}]
    assert order == [expired, unheard, booked, made]
    shown = command("list").stdout
    assert COMPLETED in shown
    assert "payment_intent" not in shown
    assert [*outcomes(command, "--limit", "1")] == [order[0]]
    assert {*outcomes(command, "--type", "checkout")} == {booked, unheard, expired}
    assert {*outcomes(command, "--type", "product.created")} == {made}
    assert outcomes(command, "--type", "refund") == {}
    wrong = command("list", "--type", "payment_intent.succeeded")
    assert (wrong.returncode, "no such type" in wrong.stderr) == (2, True)


def test_what_stripe_still_owes_can_be_asked_for(shop: Shop, shirt: ProductId, command: Command) -> None:
    """Only events that an endpoint has not taken, and no older ones than asked for."""
    shop.sold(shop.line(shirt, "M"))
    endpoint: Any = {"url": "http://127.0.0.1:9/", "enabled_events": [COMPLETED]}
    shop.stripe.v1.webhook_endpoints.create(endpoint)
    owed = event(shop, COMPLETED, shop.sold(shop.line(shirt, "M")))
    assert [*outcomes(command, "--undelivered")] == [owed]
    assert "owed to 1 endpoint" in command("list", "--undelivered").stdout
    shop.control("/_checkout/age", {"seconds": 7200})
    later = event(shop, COMPLETED, shop.sold(shop.line(shirt, "M")))
    hour = command("list", "--since", "2999-01-01")
    assert (hour.returncode, "in the future" in hour.stderr) == (2, True)
    found = outcomes(command, "--since", (datetime.now(UTC) - timedelta(hours=1)).isoformat())
    assert (later in found, owed in found) == (True, False)


def test_one_event_is_shown_with_its_sale_and_nothing_of_who_bought(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """Type, amount, what the session says of stock, the sale and its movements; no name, address or other metadata."""
    session = shop.sold(shop.line(shirt, "M", 2), size="M", gift_for="Zoe")
    told = heard(shop, session)
    for shown in (command("show", told).stdout, command("show", told, "--json").stdout):
        assert session in shown
        assert "200" in shown  # the amount
        assert "-2" in shown
        assert not [word for word in ("Zoe", *_leaves(BUYER)) if word in shown]
    document = json.loads(command("show", told, "--json").stdout)
    assert document["facts"]["metadata"] == {"size": "M"}
    assert [(one["kind"], one["size"], one["delta"]) for one in document["moved"]] == [("sale", "M", -2)]
    assert document["sale"]["origin"] == "webhook"


def _leaves(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Every text in it that could be somebody's."""
    if isinstance(value, dict):
        inner = cast("dict[str, Any]", value)
        return [leaf for one in inner.values() for leaf in _leaves(one)]
    return [value] if isinstance(value, str) and len(value) > 2 else []


def test_an_edit_is_shown_with_what_it_changed(shop: Shop, shirt: ProductId, command: Command) -> None:
    """The stock before and after it; whether the product was looked at since."""
    with shop.database.transaction() as connection:
        connection.execute("update product set synced_at = now() - interval '1 minute'")
    shop.dashboard(shirt, stock_M="4")
    shown = command("show", event(shop, "product.updated", shirt)).stdout
    assert "9 → 4" in shown
    assert "never heard of: the product was not looked at since" in shown
    shop.book(shop.sold(shop.line(shirt, "M")))
    assert shop.stock(shirt) == {"M": "3"}
    shown = command("show", event(shop, "product.updated", shirt)).stdout
    assert ("4 → 3" in shown, "done: our own write" in shown) == (True, True), shown


def test_an_event_that_stripe_does_not_know_is_one_line(command: Command) -> None:
    """On the error stream, with exit code 1."""
    done = command("show", "evt_none")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "Stripe knows no event evt_none" in done.stderr


def test_a_sale_that_is_replayed_is_booked_once(
    shop: Shop, shirt: ProductId, command: Command, work: Callable[[], None]
) -> None:
    """It is logged, booked as recovered with who did it, and a second time changes nothing."""
    session = shop.sold(shop.line(shirt, "M", 2))
    told = event(shop, COMPLETED, session)
    done = command("replay", told)
    assert (done.returncode, done.stdout) == (0, f"{told}: sent: {session}\n"), done.stderr
    assert [
        json.loads(line)["event_id"] for line in done.stderr.splitlines() if "event_replayed" in line
    ] == [told]
    assert outcomes(command)[told] == ("waits", "recovery told the stock worker")
    work()
    word, why = outcomes(command)[told]
    assert (word, why.startswith("replayed by ")) == ("recovered", True)
    again = json.loads(command("replay", told, "--json").stdout)
    assert again == [
        {"event": told, "sent": True, "what": f"{session}, which is booked already: it changes nothing"}
    ]
    work()
    shop.sync(shirt)
    assert shop.stock(shirt) == {"M": "7"}
    assert shop.movements(shirt)[-1] == ("sale", "M", -2)
    document = json.loads(command("show", told, "--json").stdout)
    assert (document["handled"], document["sale"]["origin"]) == (2, "recovery")


def test_changes_of_products_and_refunds_are_replayed_too(
    shop: Shop, shirt: ProductId, command: Command, work: Callable[[], None]
) -> None:
    """The edit is taken into the ledger, the refund asked about; both show in the delivery log."""
    session = shop.sold(shop.line(shirt, "M", 2))
    heard(shop, session)
    shop.dashboard(shirt, stock_M="20")
    edit = event(shop, "product.updated", shirt)
    refund = refunded(shop, session)
    back = event(shop, "refund.created", refund)
    assert command("replay", edit, back).returncode == 0
    work()
    assert ("external", "M", 13) in shop.movements(shirt)
    assert ("refund_proposed", refund) in shop.alerts()
    found = outcomes(command)
    assert found[edit] == ("recovered", "")
    assert found[back] == ("done", "people were asked: open")
    assert session in command("show", back).stdout


def test_what_can_not_be_replayed_says_why_and_the_others_are_sent(
    shop: Shop, shirt: ProductId, command: Command, queue: EmbeddedBroker
) -> None:
    """Unknown, of a type that nobody handles, asking nothing; the exit code says that not all were sent."""
    session = shop.sold(shop.line(shirt, "M"))
    good = event(shop, COMPLETED, session)
    intent = shop.stripe.v1.events.list({"type": "payment_intent.succeeded"}).data[0].id
    done = command("replay", "evt_none", intent, good, good)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "evt_none: not sent: Stripe knows no such event; it keeps them for 30 days",
        f"{intent}: not sent: stocksync does not handle payment_intent.succeeded",
        f"{good}: sent: {session}",
    ]
    assert ready(queue)[SALES] == 1


def test_an_event_of_the_other_mode_is_not_replayed(
    shop: Shop, shirt: ProductId, queue: EmbeddedBroker
) -> None:
    """A test event never reaches the ledger of live mode."""
    told = event(shop, COMPLETED, shop.sold(shop.line(shirt, "M")))
    desk = Desk(AccountKey("self:live"), shop.database, StripeApi("sk_test_shop", shop.url))
    (done,) = replay(desk, queue, [told], by="ada")
    assert (done.sent, done.what) == (False, "it is of self:test, and this ledger of self:live")
    assert ready(queue)[SALES] == 0


def test_a_queue_that_is_away_is_one_line_and_nothing_is_sent(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """With exit code 1, and the sale is as unheard of as before."""
    told = event(shop, COMPLETED, shop.sold(shop.line(shirt, "M")))
    done = command("replay", told, AMQP_URL="amqp://guest:guest@127.0.0.1:9/")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert "the queue does not answer: nothing was sent" in done.stderr
    assert outcomes(command)[told] == ("never heard of", "")


class Leaving(EmbeddedBroker):
    """A queue that takes one publish and is away then."""

    taken = 0

    def publish(self, *messages: Outgoing, timeout: float = 5.0) -> None:
        """Only once."""
        if self.taken:
            raise PublishError("away")
        self.taken += 1
        super().publish(*messages, timeout=timeout)


def test_a_queue_that_goes_away_meanwhile_leaves_no_doubt_about_what_was_sent(
    shop: Shop, shirt: ProductId, database_url: str, queue: EmbeddedBroker
) -> None:
    """The first is named as sent, the second as unconfirmed."""
    first, second, third = (event(shop, COMPLETED, shop.sold(shop.line(shirt, "M"))) for _ in range(3))
    leaving = Leaving(database_url, PIPELINE)
    desk = Desk(ACCOUNT, shop.database, StripeApi("sk_test_shop", shop.url))
    with pytest.raises(NotAllSent, match=f"did not confirm {second}, .*sent before that: {first};"):
        replay(desk, leaving, [first, second, third], by="ada")
    leaving.close()
    assert ready(queue)[SALES] == 1
