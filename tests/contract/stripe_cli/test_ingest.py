from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Ack, Delivery, Subscription, Verdict
from shared.messages import Message, ProductChanged, SessionPaid, decode
from shared.topology import PIPELINE
from tests.contract.stripe_cli.shop import PATIENCE, Shop
from tests.integration.ingest.running import environment, running
from tests.support.stripe_cli import StripeCli
from tests.support.waiting import until
from tests.unit.ingest.support import OTHER_SECRET, PATH


@contextmanager
def door(database_url: str, home: Path, secret: str) -> Generator[tuple[str, list[Message]]]:
    """The address of our webhook door, which knows this secret, and the messages that came through it."""
    taken: list[Message] = []

    def take(deliveries: Sequence[Delivery]) -> list[Verdict]:
        taken.extend(decode(delivery.body) for delivery in deliveries)
        return [Ack() for _ in deliveries]

    broker, stop = EmbeddedBroker(database_url, PIPELINE), threading.Event()
    broker.declare()
    subscriptions = [Subscription(queue.name, take) for queue in PIPELINE.queues]
    consumer = threading.Thread(target=broker.consume, args=(subscriptions, stop))
    consumer.start()
    try:
        with running(environment(home, DATABASE_URL=database_url, STRIPE_WEBHOOK_SECRET=secret)) as ingest:
            yield ingest.address + PATH, taken
    finally:
        stop.set()
        consumer.join()
        broker.close()


def forwarded(reached: Callable[[], bool], shop: Shop) -> None:
    """Wait until it was heard of; a product is made again and again, for a listener may just have arrived."""

    def heard() -> bool:
        return reached() or not shop.product()

    until("what happens to be forwarded", heard, PATIENCE, look=0.2)


def test_what_the_tool_triggers_and_forwards_is_taken_in(
    cli: StripeCli, shop: Shop, tmp_path: Path, database_url: str
) -> None:
    """A session paid by `stripe trigger`, forwarded by `stripe listen`, becomes the message of a paid session."""
    with (
        door(database_url, tmp_path, cli.run("listen", "--print-secret").strip()) as (address, taken),
        cli.listening(address, "--all-snapshot"),
    ):
        forwarded(lambda: any(isinstance(one, ProductChanged) for one in taken), shop)
        cli.run("trigger", "checkout.session.completed")
        until("the paid session", lambda: any(isinstance(one, SessionPaid) for one in taken), PATIENCE)
    [event] = shop.events("checkout.session.completed")
    [paid] = [one for one in taken if isinstance(one, SessionPaid)]
    assert paid.session == event["data"]["object"]["id"]
    assert paid.event == event["id"]


def test_what_the_tool_forwards_under_another_secret_is_refused(
    cli: StripeCli, shop: Shop, tmp_path: Path, database_url: str
) -> None:
    """Negative control: a door that knows another secret answers 400, and nothing is taken in."""
    with (
        door(database_url, tmp_path, OTHER_SECRET) as (address, taken),
        cli.listening(address, "--all-snapshot"),
    ):
        forwarded(lambda: "[400]" in (tmp_path / "listen.txt").read_text(), shop)
    assert taken == []
