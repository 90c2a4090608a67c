"""What becomes of a message after its handler answered: pure."""

from __future__ import annotations

from shared.broker.port import Ack, DeadLetter, Delivery, RetryIn, Verdict
from shared.outcomes import Done, Ignored, Outcome, RetryLater
from shared.topology import Topology


def verdict(outcome: Outcome, delivery: Delivery, topology: Topology) -> Verdict:
    """The verdict on `delivery`: retries climb the ladder until the attempts are used up."""
    if isinstance(outcome, Done | Ignored):
        return Ack()
    if not isinstance(outcome, RetryLater):
        return DeadLetter(outcome.reason)
    if delivery.attempt >= topology.max_attempts:
        return DeadLetter(f"gave up after {delivery.attempt} attempts: {outcome.reason}")
    rung = topology.ladder[min(delivery.attempt, len(topology.ladder)) - 1]
    return RetryIn(rung if outcome.delay is None else outcome.delay, outcome.reason)
