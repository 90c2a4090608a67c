from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from services.backoffice.operations.event_replay import NotAllSent, replay
from services.backoffice.operations.events import Desk
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Outgoing, PublishError
from shared.stripe_api.client import StripeApi
from shared.topology import PIPELINE, SALES
from shared.vocabulary import AccountKey, ProductId
from tests.integration.stock_worker.events.telling import COMPLETED, event, heard, outcomes, ready
from tests.integration.stock_worker.returning import refunded
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.command import Command


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
