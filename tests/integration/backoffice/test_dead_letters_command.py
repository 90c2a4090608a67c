from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from threading import Event, Thread

import pytest

from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import DeadLetter, Delivery, Outgoing, Subscription, Verdict
from shared.topology import PRODUCTS, SALES
from tests.support.command import Command, stocksync
from tests.support.waiting import until


@pytest.fixture
def command(database_url: str) -> Command:
    """Runs `stocksync dead-letters` on the test's queues."""
    return partial(stocksync, "dead-letters", DATABASE_URL=database_url, COLUMNS="200")


@pytest.fixture
def letters(queue: EmbeddedBroker) -> EmbeddedBroker:
    """Three messages lie aside: two sales and a product."""
    queue.publish(
        Outgoing("session.paid", b'{"customer": "Zoe"}', "evt_1"),
        Outgoing("session.paid", b"\x1b[31mno json", "evt_2"),
        Outgoing("product.sync", b"{}", "evt_3"),
    )
    stop = Event()

    def refuse(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        return [DeadLetter("nobody [knows] it") for _ in deliveries]

    subscriptions = [Subscription(name, refuse) for name in (SALES, PRODUCTS)]
    consumer = Thread(target=queue.consume, args=(subscriptions, stop))
    consumer.start()
    until("three dead letters", lambda: _dead(queue) == [2, 1])
    stop.set()
    consumer.join(30)
    return queue


def _dead(queue: EmbeddedBroker) -> list[int]:
    return [queue.depth(name).dead for name in (SALES, PRODUCTS)]


def test_what_lies_aside_is_listed_without_what_it_holds(command: Command, letters: EmbeddedBroker) -> None:
    """Each has its queue, id and reason; its contents stay in the queue."""
    for shown in (command("list").stdout, command("list", "--queue", "sales", "--json").stdout):
        assert "evt_1" in shown
        assert "nobody [knows] it" in shown
        assert "Zoe" not in shown
    assert json.loads(command("list", "--queue", "jobs", "--json").stdout) == []
    assert _dead(letters) == [2, 1]


def test_one_that_is_named_is_shown_whole(command: Command, letters: EmbeddedBroker) -> None:
    """With its body, on a terminal without what that would obey."""
    assert '"customer": "Zoe"' in command("show", "evt_1").stdout
    assert json.loads(command("show", "evt_1", "--json").stdout)[0]["body"] == '{"customer": "Zoe"}'
    odd = command("show", "evt_2").stdout
    assert ("no json" in odd, "\x1b[31m" in odd) == (True, False)
    assert _dead(letters) == [2, 1]


def test_those_that_are_named_are_handled_again(command: Command, letters: EmbeddedBroker) -> None:
    """They are back in their queues; the others lie where they are."""
    done = command("replay", "evt_1", "evt_3")
    assert (done.returncode, done.stdout) == (0, "2 messages: to be handled again\n")
    assert _dead(letters) == [1, 0]
    assert letters.depth(SALES).ready == 1
    assert command("replay", "--all", "--queue", "products", "--json").stdout == '{"handled_again": 0}\n'
    assert command("replay", "--all").stdout == "1 message: to be handled again\n"
    assert command("list").stdout == "no message lies aside\n"


def test_those_that_are_named_are_dropped(command: Command, letters: EmbeddedBroker) -> None:
    """For good, once somebody said yes."""
    unsure = command("drop", "evt_1")
    assert (unsure.returncode, "Throw away 1 message?" in unsure.stdout) == (1, True)
    assert _dead(letters) == [2, 1]
    assert command("drop", "evt_1", "--yes").stdout == "1 message: dropped\n"
    assert _dead(letters) == [1, 1]


@pytest.mark.parametrize(
    "case",
    [
        (("replay", "evt_9", "evt_1"), 1, "no message lies aside with the id evt_9; nothing was changed"),
        (("drop", "evt_9", "--yes"), 1, "no message lies aside with the id evt_9"),
        (("show", "evt_9"), 1, "no message lies aside with the id evt_9"),
        (("replay",), 2, "name messages, or give --all"),
        (("replay", "evt_1", "--all"), 2, "name messages, or give --all"),
        (("replay", "--all", "--queue", "letters"), 2, "no such queue: letters"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    command: Command, letters: EmbeddedBroker, case: tuple[tuple[str, ...], int, str]
) -> None:
    """One complaint, and everything lies where it was."""
    arguments, code, complaint = case
    done = command(*arguments)
    assert (done.returncode, complaint in done.stderr) == (code, True), done.stderr
    assert _dead(letters) == [2, 1]


def test_a_queue_that_is_away_is_one_line(database_url: str) -> None:
    """Where the queue was never made, a sentence and exit code 1."""
    done = stocksync("dead-letters", "list", DATABASE_URL=database_url)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
