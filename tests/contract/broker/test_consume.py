from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from shared.broker.port import Ack, DeadLetter, Delivery, RetryIn, Return, Verdict
from shared.settings import child_environment
from tests.contract.broker.rig import WORK, Rig, Seen, message
from tests.support.waiting import until

CONSUMER = Path(__file__).with_name("consumer_process.py")


@contextmanager
def consumer(rig: Rig, mode: str, output: Path) -> Generator[subprocess.Popen[bytes]]:
    """A consumer in a process of its own, which notes in `output` what it gets; gone afterwards in any case."""
    process = subprocess.Popen(
        [sys.executable, str(CONSUMER), rig.kind, rig.address, rig.prefix, mode, str(output)],
        env=child_environment(PYTHONPATH=str(Path.cwd())),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_retry_comes_again_later_with_its_attempt_counted(rig: Rig) -> None:
    """Retried messages climb: attempts 1, 2, 3, each about its delay after the one before."""
    seen = Seen(lambda d: RetryIn(1, "not yet") if d.attempt < 3 else Ack())
    rig.broker.publish(message("again"))
    with rig.consuming(seen.handle):
        until("the third attempt", lambda: len(seen.names()) == 3)
    assert [d.attempt for _, d in seen.deliveries] == [1, 2, 3]
    first, second, third = seen.times("again")
    assert all(0.5 < gap < 6 for gap in (second - first, third - second))
    assert len({d.first_seen for _, d in seen.deliveries}) == 1
    assert rig.broker.depth(WORK).ready == 0


def test_a_longer_delay_takes_longer(rig: Rig) -> None:
    """A delay of the second rung is no shorter than it says."""
    seen = Seen(lambda d: RetryIn(2, "not yet") if d.attempt == 1 else Ack())
    rig.broker.publish(message("slow"))
    with rig.consuming(seen.handle):
        until("the second attempt", lambda: len(seen.names()) == 2)
    first, second = seen.times("slow")
    assert 1.5 < second - first < 8


def test_a_retry_that_does_not_count_keeps_the_attempt(rig: Rig) -> None:
    """What an outage put back is still a first attempt."""
    answers: list[Verdict] = [RetryIn(1, "away", counts=False), Ack()]
    seen = Seen(lambda _: answers.pop(0))
    rig.broker.publish(message("patient"))
    with rig.consuming(seen.handle):
        until("the second delivery", lambda: len(seen.names()) == 2)
    assert [d.attempt for _, d in seen.deliveries] == [1, 1]


def test_a_dead_letter_explains_itself(rig: Rig) -> None:
    """A parked message keeps body and ids, and says why, after how many attempts, and since when."""
    seen = Seen(lambda d: RetryIn(1, "hm") if d.attempt == 1 else DeadLetter("the size is unknown"))
    rig.broker.publish(message("bad", body=b"content"))
    with rig.consuming(seen.handle):
        until("the dead letter", lambda: rig.broker.depth(WORK).dead == 1)
    letter = rig.broker.dead_letters(WORK)[0]
    assert (letter.message_id, letter.body, letter.reason) == ("bad", b"content", "the size is unknown")
    assert (letter.attempts, letter.correlation_id) == (2, "because-bad")
    assert letter.first_seen <= letter.parked_at
    assert rig.broker.depth(WORK).dead == 1, "looking leaves them where they are"


def test_fault_59_replay_brings_back_all_or_only_some(rig: Rig) -> None:
    """Chosen dead letters go back to their queue with attempts reset, the others stay."""
    refuse = Seen(lambda _: DeadLetter("no"))
    rig.broker.publish(*[message(f"m{n}") for n in range(5)])
    with rig.consuming(refuse.handle):
        until("five dead letters", lambda: rig.broker.depth(WORK).dead == 5)
    assert rig.broker.replay(WORK, only={"m1", "m3"}) == 2
    seen = Seen()
    with rig.consuming(seen.handle):
        until("the two", lambda: sorted(seen.names()) == ["m1", "m3"])
        assert rig.broker.replay(WORK) == 3
        until("the rest", lambda: len(seen.names()) == 5)
    assert {d.attempt for _, d in seen.deliveries} == {1}
    assert rig.broker.depth(WORK).dead == 0


def test_chosen_dead_letters_are_thrown_away(rig: Rig) -> None:
    """What is dropped is gone for good, the others stay where they are; ids that are not there change nothing."""
    refuse = Seen(lambda _: DeadLetter("no"))
    rig.broker.publish(*[message(f"m{n}") for n in range(4)])
    with rig.consuming(refuse.handle):
        until("four dead letters", lambda: rig.broker.depth(WORK).dead == 4)
    assert rig.broker.drop(WORK, {"m0", "m2", "never"}) == 2
    until("the others to be put back", lambda: rig.broker.depth(WORK).dead == 2)
    assert {letter.message_id for letter in rig.broker.dead_letters(WORK)} == {"m1", "m3"}
    assert rig.broker.drop(WORK, {"m0"}) == 0


def test_one_poison_message_harms_no_neighbour(rig: Rig) -> None:
    """In a batch with one bad message all others are handled once."""
    seen = Seen(lambda d: DeadLetter("poison") if d.message_id == "m7" else Ack())
    rig.broker.publish(*[message(f"m{n}") for n in range(20)])
    with rig.consuming(seen.handle, batch=10):
        until("all", lambda: len(seen.names()) == 20 and rig.broker.depth(WORK).dead == 1)
    assert sorted(seen.names()) == sorted(f"m{n}" for n in range(20))


def test_what_is_returned_is_delivered_to_the_next(rig: Rig) -> None:
    """A message that a stopping process gives back is delivered again as a first attempt."""
    rig.broker.publish(message("handed over"))
    first = Seen(lambda _: Return())
    with rig.consuming(first.handle):
        until("a delivery", lambda: len(first.names()) >= 1)
    second = Seen()
    with rig.consuming(second.handle):
        until("the next", lambda: second.names() == ["handed over"])
    assert second.deliveries[0][1].attempt == 1


def test_stopping_finishes_what_is_in_hand(rig: Rig) -> None:
    """A handler that works when the stop comes is waited for, and its message is done."""
    begun, finish = threading.Event(), threading.Event()

    def slow(_: object) -> list[Verdict]:
        begun.set()
        assert finish.wait(20)
        return [Ack()]

    rig.broker.publish(message("in hand"))
    with rig.consuming(slow):
        assert begun.wait(20)
        threading.Timer(1.0, finish.set).start()
    assert finish.is_set()
    until("an empty queue", lambda: rig.broker.depth(WORK).ready == 0)


def test_fault_51_a_slow_handler_is_not_disturbed(rig: Rig) -> None:
    """A handler slower than heartbeat and lease gets its message once."""
    never, answered = threading.Event(), threading.Event()

    def slow(_: Delivery) -> Verdict:
        never.wait(9)  # more than four heartbeats, and four leases
        answered.set()
        return Ack()

    seen = Seen(slow)
    rig.broker.publish(message("slow"))
    with rig.consuming(seen.handle, workers=2):
        until("the answer", answered.is_set, 30)
    assert seen.names() == ["slow"]
    assert rig.broker.depth(WORK).ready == 0


def test_fault_44_a_consumer_comes_back_after_the_servers_kill(rig: Rig) -> None:
    """Messages published before and after kill -9 of the server are all handled."""
    seen = Seen()
    with rig.consuming(seen.handle):
        rig.broker.publish(message("before"))
        until("the first", lambda: "before" in seen.names())
        rig.kill_server()
        other = rig.another()
        other.publish(message("after"), timeout=30.0)
        until("the second", lambda: "after" in seen.names(), 60)
        other.close()


def test_fault_52_a_killed_consumers_message_is_delivered_again(rig: Rig, tmp_path: Path) -> None:
    """Kill -9 of a consumer that has a message in hand loses nothing."""
    output = tmp_path / "seen"
    rig.broker.publish(message("survivor"))
    with consumer(rig, "hang", output) as process:
        until("the first delivery", output.exists)
        os.kill(process.pid, signal.SIGKILL)
    seen = Seen()
    with rig.consuming(seen.handle):
        until("the second delivery", lambda: seen.names() == ["survivor"])


def test_fault_54_a_message_that_kills_its_handler_is_parked(rig: Rig, tmp_path: Path) -> None:
    """A crash-poison ends in the dead letters with a reason after a few deliveries; all neighbours are handled."""
    output = tmp_path / "seen"
    names = [f"m{n}" for n in range(12)]
    rig.broker.publish(*[message(name) for name in names], message("poison"))
    for _ in range(30):
        with consumer(rig, "die", output) as process:
            until(
                "death or rest",
                lambda p=process: p.poll() is not None or rig.broker.depth(WORK).dead > 0,
                30,
            )
            if process.poll() is None:
                until("the neighbours", lambda: handled(output) >= set(names))
                process.terminate()
                process.wait()
                break
    letters = rig.broker.dead_letters(WORK)
    assert [letter.message_id for letter in letters] == ["poison"]
    assert "3 times" in letters[0].reason
    assert handled(output) == set(names)


def handled(output: Path) -> set[str]:
    """The ids of what consumer processes have handled."""
    return set(output.read_text(encoding="utf-8").split()) if output.exists() else set()
