from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from shared.broker import runtime
from shared.broker.pause import HeldTooLong, Pause, Stopping
from shared.broker.policy import verdict
from shared.broker.port import (
    Ack,
    DeadLetter,
    Delivery,
    Outgoing,
    PublishError,
    RetryIn,
    Return,
    Unconfirmed,
    Verdict,
)
from shared.broker.runtime import FAILURES_IN_A_ROW, Executor
from shared.messages import AlertOpened, Message, encode
from shared.outcomes import Done, Ignored, Outage, Outcome, Reject, RetryLater
from shared.topology import Queue, Topology
from tests.support.waiting import until

TOPOLOGY = Topology((Queue("work", ("alert.opened",)),), ladder=(5, 30, 120), max_attempts=4)
SOON = 0.01  # seconds


class Outbox:
    """Where handlers' messages go: refuses the first `refusals` times."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.sent: list[Outgoing] = []

    def publish(self, *messages: Outgoing, timeout: float = 5.0) -> None:
        """Take `messages`, or refuse."""
        if self.refusals:
            self.refusals -= 1
            raise Unconfirmed(f"no confirm within {timeout:g} s")
        self.sent += messages


def delivery(number: int, attempt: int = 1, body: bytes | None = None) -> Delivery:
    content = encode(AlertOpened(alert=number)) if body is None else body
    return Delivery(
        "work", content, f"m{number}", f"because-{number}", attempt, datetime(2026, 1, 1, tzinfo=UTC)
    )


def executor(handler: runtime.Batched, outbox: Outbox | None = None, pause: Pause | None = None) -> Executor:
    broker = outbox or Outbox()
    return Executor(handler, broker, TOPOLOGY, pause or Pause(threading.Event(), SOON))  # pyright: ignore[reportArgumentType] - it only publishes


def number(message: Message) -> int:
    assert isinstance(message, AlertOpened)
    return message.alert


@pytest.mark.parametrize(
    ("outcome", "attempt", "expected"),
    [
        (Done(), 1, Ack()),
        (Ignored("old"), 1, Ack()),
        (Reject("no such size"), 1, DeadLetter("no such size")),
        (RetryLater("429"), 1, RetryIn(5, "429")),
        (RetryLater("429"), 3, RetryIn(120, "429")),
        (RetryLater("429", delay=7), 2, RetryIn(7, "429")),
        (RetryLater("429"), 4, DeadLetter("gave up after 4 attempts: 429")),
    ],
)
def test_an_outcome_becomes_a_verdict(outcome: Outcome, attempt: int, expected: Verdict) -> None:
    """Done is done, retries climb the ladder until the attempts are used up, a rejection parks."""
    assert verdict(outcome, delivery(1, attempt), TOPOLOGY) == expected


def test_bytes_that_are_no_message_are_parked_and_their_neighbours_handled() -> None:
    """What cannot be read is a dead letter that names no contents, in its own place."""
    loop = executor(lambda messages: [Reject(str(number(message))) for message in messages])
    same_id = [delivery(1), delivery(1, body=b'{"customer": "Jane"}'), delivery(1)]
    first, unreadable, last = loop.handle(same_id)
    assert (first, last) == (DeadLetter("1"), DeadLetter("1"))
    assert isinstance(unreadable, DeadLetter)
    assert "Jane" not in unreadable.reason


def test_one_poison_message_harms_no_neighbour() -> None:
    """A batch whose handler breaks is tried one by one, and only the guilty one is retried."""

    def handler(messages: Sequence[Message]) -> list[Outcome]:
        if any(number(message) == 2 for message in messages):
            raise ValueError("Jane Doe's order")
        return [Done() for _ in messages]

    assert executor(handler).handle([delivery(n) for n in (1, 2, 3)]) == [
        Ack(),
        RetryIn(5, "the handler failed: ValueError"),
        Ack(),
    ]


def test_a_wrong_number_of_outcomes_is_a_failure() -> None:
    """A handler that does not answer for each message acknowledges none."""
    assert executor(lambda _: []).handle([delivery(1)]) == [RetryIn(5, "the handler failed: TypeError")]


def test_what_follows_is_published_before_the_verdict_and_keeps_its_correlation() -> None:
    """A failed publish is an outage, and the work is not redone for it."""
    outbox, calls = Outbox(refusals=2), list[int]()

    def handler(messages: Sequence[Message]) -> list[Outcome]:
        calls.append(len(messages))
        return [Done(then=(AlertOpened(alert=number(message) * 10),)) for message in messages]

    assert executor(handler, outbox).handle([delivery(1), delivery(2)]) == [Ack(), Ack()]
    assert [(m.route, m.correlation_id) for m in outbox.sent] == [
        ("alert.opened", "because-1"),
        ("alert.opened", "because-2"),
    ]
    assert calls == [2]


def test_an_outage_holds_the_message_and_counts_no_attempt() -> None:
    """The handler is called again with the same message until what was away is back."""
    answers: list[Outcome | Outage] = [Outage("database"), Outage("database"), Done()]

    def handler(_: Sequence[Message]) -> list[Outcome]:
        answer = answers.pop(0)
        if isinstance(answer, Outage):
            raise answer
        return [answer]

    assert executor(handler).handle([delivery(1)]) == [Ack()]
    assert answers == []


def test_a_stop_during_an_outage_gives_the_message_back() -> None:
    """A process that is to stop does not wait for the database."""
    stop = threading.Event()

    def handler(_: Sequence[Message]) -> list[Outcome]:
        stop.set()
        raise Outage("database")

    assert executor(handler, pause=Pause(stop, 60.0)).handle([delivery(1)]) == [Return()]


def test_an_outage_that_lasts_puts_the_message_back_uncounted() -> None:
    """After holding long enough the message waits in the queue instead of in a hand."""

    def handler(_: Sequence[Message]) -> list[Outcome]:
        raise PublishError("away")

    loop = executor(handler, pause=Pause(threading.Event(), SOON, at_most=0.05))
    assert loop.handle([delivery(1, attempt=3)]) == [RetryIn(5, "away", counts=False)]


def test_too_many_failures_in_a_row_pause_and_still_count() -> None:
    """Different messages that all break their handler are an outage, but none goes round for ever."""

    def handler(_: Sequence[Message]) -> list[Outcome]:
        raise KeyError

    loop = executor(handler, pause=Pause(threading.Event(), SOON, at_most=0.05))
    few = [loop.handle([delivery(n)])[0] for n in range(1, FAILURES_IN_A_ROW)]
    assert set(few) == {RetryIn(5, "the handler failed: KeyError")}
    (paused,) = loop.handle([delivery(99)])
    assert isinstance(paused, RetryIn)
    assert "in a row" in paused.reason
    assert paused.counts


def test_one_message_that_fails_often_is_no_outage() -> None:
    """A poison message alone in a quiet queue reaches the dead letters by its attempts."""

    def handler(_: Sequence[Message]) -> list[Outcome]:
        raise KeyError

    loop = executor(handler)
    verdicts = [loop.handle([delivery(1, attempt)])[0] for attempt in range(1, 5) for _ in range(10)]
    assert verdicts[-1] == DeadLetter("gave up after 4 attempts: the handler failed: KeyError")


def test_other_calls_wait_on_the_same_pause() -> None:
    """While one call found something away, others are not tried."""
    pause = Pause(threading.Event(), first=0.5)
    failing, tries = threading.Event(), list[str]()

    def away() -> None:
        tries.append("first")
        if not failing.is_set():
            failing.set()
            raise Outage("database")

    first = threading.Thread(target=pause.through, args=(away,))
    first.start()
    until("the pause to begin", lambda: pause.left > 0)
    second = threading.Thread(target=pause.through, args=(lambda: tries.append("second"),))
    second.start()
    second.join(0.1)
    assert tries == ["first"]
    first.join(30)
    second.join(30)
    assert sorted(tries) == ["first", "first", "second"]


def test_a_pause_gives_up_when_stopping_or_held_too_long() -> None:
    """Both ways out of a lasting outage are told apart."""

    def away() -> None:
        raise Outage("database")

    with pytest.raises(HeldTooLong):
        Pause(threading.Event(), SOON, at_most=0.03).through(away)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopping):
        Pause(stop, 60.0).through(away)
