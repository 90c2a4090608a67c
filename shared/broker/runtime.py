"""The loop around handlers: messages in, outcomes out, verdicts to the broker."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import structlog

from shared import clock, logs
from shared.broker.policy import verdict
from shared.broker.port import Broker, DeadLetter, Delivery, Handle, Outgoing, RetryIn, Return, Verdict
from shared.messages import Message, UndecodableMessage, decode, encode
from shared.outcomes import Done, Outage, Outcome, RetryLater
from shared.topology import PIPELINE, Topology

LONGEST_PAUSE: Final = 30.0
HOLD_AT_MOST: Final = 600.0
"""Seconds a message is held in hand during an outage before it goes back to its queue, uncounted."""
FAILURES_IN_A_ROW: Final = 20
"""So many handlers that broke one after the other are an outage of something nobody named."""

Single = Callable[[Message], Outcome]
Batched = Callable[[Sequence[Message]], Sequence[Outcome]]
T = TypeVar("T")

log = logs.get(__name__)


class _Broken(Exception):
    """A handler raised something that is no outage."""


class Runtime:
    """One process's handlers: they share its outages, so that one probe speaks for all."""

    def __init__(self, broker: Broker, stop: threading.Event, topology: Topology = PIPELINE) -> None:
        """Publish what follows from messages to `broker`; give messages back once `stop` is set."""
        self._broker = broker
        self._stop = stop
        self._topology = topology
        self._failures = 0

    def single(self, handler: Single) -> Handle:
        """Messages one at a time."""
        return self.batched(lambda messages: [handler(message) for message in messages])

    def batched(self, handler: Batched) -> Handle:
        """Messages as they come; a batch whose handler breaks is tried again one by one."""

        def handle(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
            found: dict[str, Verdict] = {}
            readable: list[tuple[Delivery, Message]] = []
            for delivery in deliveries:
                try:
                    readable.append((delivery, decode(delivery.body)))
                except UndecodableMessage as error:
                    found[delivery.message_id] = DeadLetter(f"not a message of this version: {error}")
            if readable:
                found |= self._batch(handler, readable)
            return [found[delivery.message_id] for delivery in deliveries]

        return handle

    def _batch(self, handler: Batched, batch: Sequence[tuple[Delivery, Message]]) -> dict[str, Verdict]:
        try:
            return self._call(handler, batch)
        except _Broken:
            single: dict[str, Verdict] = {}
            for pair in batch:
                single |= self._call(handler, [pair])
            return single

    def _call(self, handler: Batched, batch: Sequence[tuple[Delivery, Message]]) -> dict[str, Verdict]:
        """The verdicts on `batch`; raises _Broken where a neighbour may be to blame."""
        correlation = batch[0][0].correlation_id or batch[0][0].message_id
        with structlog.contextvars.bound_contextvars(correlation_id=correlation):
            outcomes = self._while_outage(lambda: self._handled(handler, batch))
            if isinstance(outcomes, Return | RetryIn):
                return {delivery.message_id: outcomes for delivery, _ in batch}
            unpublished = self._while_outage(lambda: self._publish(outcomes, correlation))
            if isinstance(unpublished, Return | RetryIn):
                return {delivery.message_id: unpublished for delivery, _ in batch}
        return {
            delivery.message_id: verdict(outcome, delivery, self._topology)
            for (delivery, _), outcome in zip(batch, outcomes, strict=True)
        }

    def _handled(self, handler: Batched, batch: Sequence[tuple[Delivery, Message]]) -> Sequence[Outcome]:
        try:
            outcomes = handler([message for _, message in batch])
        except Outage:
            raise
        except Exception as error:
            log.exception("handler_failed", messages=len(batch), error=type(error).__name__)
            if len(batch) > 1:
                raise _Broken from error
            self._failures += 1
            if self._failures >= FAILURES_IN_A_ROW:
                raise Outage(f"{self._failures} handlers failed in a row") from error
            return [RetryLater(f"the handler failed: {type(error).__name__}")]
        self._failures = 0
        return outcomes

    def _publish(self, outcomes: Sequence[Outcome], correlation: str) -> None:
        then = [message for outcome in outcomes if isinstance(outcome, Done) for message in outcome.then]
        if then:
            self._broker.publish(*(outgoing(message, correlation) for message in then))

    def _while_outage(self, work: Callable[[], T]) -> T | Return | RetryIn:
        """`work`'s answer, tried again with growing pauses as long as something everybody needs is away."""
        started, pause = clock.monotonic(), 1.0
        while True:
            try:
                return work()
            except Outage as outage:
                reason = str(outage)
                log.warning("outage", reason=reason, pause=pause)
            if self._stop.wait(pause * random.uniform(0.8, 1.2)):  # noqa: S311 - jitter, no secret
                return Return()
            if clock.monotonic() - started > HOLD_AT_MOST:
                return RetryIn(self._topology.ladder[0], reason, counts=False)
            pause = min(LONGEST_PAUSE, pause * 2)


def outgoing(message: Message, correlation_id: str = "") -> Outgoing:
    """`message` as something to publish, under a message id of its own."""
    return Outgoing(message.type, encode(message), uuid.uuid4().hex, correlation_id)
