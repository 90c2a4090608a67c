"""The loop around handlers: messages in, outcomes out, verdicts to the broker."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from shared import logs
from shared.broker.pause import HeldTooLong, Pause, Stopping
from shared.broker.policy import verdict
from shared.broker.port import Broker, DeadLetter, Delivery, Handle, Outgoing, RetryIn, Return, Verdict
from shared.messages import Message, UndecodableMessage, decode, encode
from shared.outcomes import Done, Outage, Outcome, RetryLater
from shared.topology import PIPELINE, Topology

FAILURES_IN_A_ROW: Final = 20
"""So many different messages that broke their handler, none between that did not, are an outage nobody named."""

Single = Callable[[Message], Outcome]
Batched = Callable[[Sequence[Message]], Sequence[Outcome]]

log = logs.get(__name__)


class TooManyFailures(Outage):
    """The handler breaks on everything."""


class _Broken(Exception):
    """A handler raised something that is no outage, in a batch where a neighbour may be to blame."""


@dataclass(frozen=True, slots=True)
class _Job:
    delivery: Delivery
    message: Message


class Runtime:
    """Makes what a broker calls out of a process's handlers."""

    def __init__(self, broker: Broker, stop: threading.Event, topology: Topology = PIPELINE) -> None:
        """Publish what follows from messages to `broker`; give messages back once `stop` is set."""
        self._broker = broker
        self._stop = stop
        self._topology = topology

    def single(self, handler: Single) -> Handle:
        """Messages one at a time."""
        return self.batched(lambda messages: [handler(message) for message in messages])

    def batched(self, handler: Batched) -> Handle:
        """Messages as they come; a batch whose handler breaks is tried again one by one.

        Each handler has a pause of its own: what one needs and misses does not hold up another.
        """
        return Executor(handler, self._broker, self._topology, Pause(self._stop)).handle


class Executor:
    """One handler; called by several threads at once."""

    def __init__(self, handler: Batched, broker: Broker, topology: Topology, pause: Pause) -> None:
        self._handler = handler
        self._broker = broker
        self._topology = topology
        self._pause = pause
        self._failed: set[str] = set()  # message ids since the last call that did not break

    def handle(self, deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        """One verdict for each delivery."""
        read = [_read(delivery) for delivery in deliveries]
        jobs = [one for one in read if isinstance(one, _Job)]
        verdicts = iter(self._batch(jobs) if jobs else ())
        return [next(verdicts) if isinstance(one, _Job) else one for one in read]

    def _batch(self, jobs: Sequence[_Job]) -> list[Verdict]:
        try:
            return self._settle(jobs)
        except _Broken:
            return [answer for job in jobs for answer in self._settle([job])]

    def _settle(self, jobs: Sequence[_Job]) -> list[Verdict]:
        """The verdicts on `jobs`; raises _Broken where a neighbour may be to blame."""
        first = jobs[0].delivery
        correlation = first.correlation_id or first.message_id
        with structlog.contextvars.bound_contextvars(correlation_id=correlation):
            try:
                outcomes = self._pause.through(lambda: self._outcomes(jobs))
                self._pause.through(lambda: self._publish(jobs, outcomes))
            except Stopping:
                return [Return() for _ in jobs]
            except HeldTooLong as held:
                return [self._after_holding(job.delivery, held.outage) for job in jobs]
        return [
            verdict(outcome, job.delivery, self._topology)
            for job, outcome in zip(jobs, outcomes, strict=True)
        ]

    def _outcomes(self, jobs: Sequence[_Job]) -> Sequence[Outcome]:
        try:
            outcomes = self._handler([job.message for job in jobs])
            if len(outcomes) != len(jobs):
                raise TypeError(f"{len(outcomes)} outcomes for {len(jobs)} messages")  # noqa: TRY301 - same fate
        except Outage:
            raise
        except Exception as error:
            log.exception("handler_failed", messages=len(jobs), error=type(error).__name__)
            if len(jobs) > 1:
                raise _Broken from error
            return [self._failure(jobs[0], error)]
        self._failed.clear()
        return outcomes

    def _failure(self, job: _Job, error: Exception) -> Outcome:
        self._failed.add(job.delivery.message_id)
        if len(self._failed) >= FAILURES_IN_A_ROW:
            raise TooManyFailures(f"the handler failed on {len(self._failed)} messages in a row") from error
        return RetryLater(f"the handler failed: {type(error).__name__}")

    def _publish(self, jobs: Sequence[_Job], outcomes: Sequence[Outcome]) -> None:
        then = [
            outgoing(message, job.delivery.correlation_id or job.delivery.message_id)
            for job, outcome in zip(jobs, outcomes, strict=True)
            if isinstance(outcome, Done)
            for message in outcome.then
        ]
        if then:
            self._broker.publish(*then)

    def _after_holding(self, delivery: Delivery, outage: Outage) -> Verdict:
        if isinstance(
            outage, TooManyFailures
        ):  # perhaps these messages are to blame: they must not go round for ever
            return verdict(RetryLater(str(outage)), delivery, self._topology)
        return RetryIn(self._topology.ladder[0], str(outage), counts=False)


def outgoing(message: Message, correlation_id: str = "") -> Outgoing:
    """`message` as something to publish, under a message id of its own."""
    return Outgoing(message.type, encode(message), uuid.uuid4().hex, correlation_id)


def _read(delivery: Delivery) -> _Job | DeadLetter:
    try:
        return _Job(delivery, decode(delivery.body))
    except UndecodableMessage as error:
        return DeadLetter(f"not a message of this version: {error}")
