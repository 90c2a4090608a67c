"""Consuming from the database: workers that take, handle and settle, each batch in two short transactions."""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import psycopg

from shared import logs
from shared.broker import embedded_store as store
from shared.broker.embedded_store import Names, Row
from shared.broker.port import Ack, DeadLetter, RetryIn, Return, Subscription, Verdict
from shared.database.pool import Connection, Database
from shared.outcomes import Outage

POLL: Final = 1.0
"""Seconds between looks where nobody calls: delayed messages come without a notification."""
BROKEN_HANDLE_DELAY: Final = 60.0
PAUSE: Final = 1.0  # seconds after the database was away

log = logs.get(__name__)


class Consumer:
    """Serves subscriptions until it is told to stop; messages in hand stay hidden as long as it lives."""

    def __init__(
        self, database: Database, names: Names, subscriptions: Sequence[Subscription], lease: float
    ) -> None:
        self._database = database
        self._names = names
        self._subscriptions = subscriptions
        self._lease = lease
        self._stop = threading.Event()
        self._news = {s.queue: threading.Condition() for s in subscriptions}
        self._in_hand: defaultdict[str, set[int]] = defaultdict(set)
        self._hands = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set; finish what handlers have in hand."""
        done = threading.Event()
        helpers = [
            threading.Thread(target=self._listen, args=(done,), name="queue-listener", daemon=True),
            threading.Thread(target=self._renew, args=(done,), name="queue-renewer", daemon=True),
        ]
        workers = [
            threading.Thread(target=self._work, args=(s,), name=f"{s.queue}-{n}", daemon=True)
            for s in self._subscriptions
            for n in range(s.workers)
        ]
        self._stop = stop
        for thread in (*helpers, *workers):
            thread.start()
        stop.wait()
        self._wake(self._news)
        for thread in workers:
            thread.join()
        done.set()
        for thread in helpers:
            thread.join(timeout=POLL * 2)

    def _work(self, subscription: Subscription) -> None:
        while not self._stop.is_set():
            try:
                rows = self._take(subscription)
                if rows:
                    self._settle(subscription, rows, self._verdicts(subscription, rows))
                else:
                    self._wait(subscription.queue)
            except Outage as outage:
                log.warning("queue_away", queue=subscription.queue, reason=str(outage))
                self._stop.wait(PAUSE)
            except Exception as error:  # noqa: BLE001 - a worker outlives whatever it meets
                reason = type(error).__name__  # such as tables that are gone; its text may quote a message
                log.warning("queue_broken", queue=subscription.queue, reason=reason)
                self._stop.wait(PAUSE)

    def _take(self, subscription: Subscription) -> list[Row]:
        queue = subscription.queue
        rows = self._database.run(
            lambda c: store.take(c, self._names, queue, limit=subscription.batch, lease=self._lease)
        )
        with self._hands:
            self._in_hand[queue] |= {row.id for row in rows}
        return rows

    def _verdicts(self, subscription: Subscription, rows: Sequence[Row]) -> Sequence[Verdict]:
        limit = self._names.topology.delivery_limit
        if rows[0].reads > limit:  # it came alone
            reason = f"delivered {limit} times without an answer: its handler dies of it"
            return [DeadLetter(reason)]
        try:
            return subscription.handle([row.delivery for row in rows])
        except Exception as error:
            log.exception("handle_broken", queue=subscription.queue)
            return [RetryIn(BROKEN_HANDLE_DELAY, type(error).__name__) for _ in rows]

    def _settle(self, subscription: Subscription, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> None:
        """Carry out all verdicts in one transaction; where that fails the messages come back by themselves."""
        answers = list(zip(rows, verdicts, strict=True))
        try:
            self._database.run(lambda connection: self._carry_out(connection, subscription.queue, answers))
        finally:
            with self._hands:
                self._in_hand[subscription.queue] -= {row.id for row in rows}

    def _carry_out(self, connection: Connection, queue: str, answers: Sequence[tuple[Row, Verdict]]) -> None:
        work = self._names.work(queue)
        returned = [row.id for row, verdict in answers if isinstance(verdict, Return)]
        answered = [row.id for row, verdict in answers if not isinstance(verdict, Return)]
        for row, verdict in answers:
            match verdict:
                case RetryIn(seconds, reason, counts):
                    headers = store.again(row.delivery, attempt=row.delivery.attempt + counts, reason=reason)
                    delay = max(1, math.ceil(seconds))
                    store.send(connection, work, [(row.delivery.body, headers)], delay=delay)
                case DeadLetter(reason):
                    attempts = max(row.delivery.attempt, row.reads - 1)
                    headers = store.again(row.delivery, attempt=attempts, reason=reason)
                    store.send(connection, self._names.dead(queue), [(row.delivery.body, headers)])
                case Ack() | Return():
                    pass
        if answered:
            store.delete(connection, work, answered)
        if returned:
            store.give_back(connection, work, returned)

    def _wait(self, queue: str) -> None:
        with self._news[queue]:
            if not self._stop.is_set():
                self._news[queue].wait(POLL)

    def _wake(self, queues: Sequence[str] | dict[str, threading.Condition]) -> None:
        for queue in queues:
            with self._news[queue]:
                self._news[queue].notify_all()

    def _listen(self, done: threading.Event) -> None:
        channels = {self._names.channel(queue): queue for queue in self._news}
        while not done.is_set():
            try:
                with self._database.listening(list(channels)) as notified:
                    while not done.is_set():
                        self._wake([channels[name] for name in notified(POLL)])
            except Outage:
                done.wait(PAUSE)

    def _renew(self, done: threading.Event) -> None:
        while not done.wait(self._lease / 3):
            with self._hands:
                held = {queue: set(ids) for queue, ids in self._in_hand.items() if ids}
            try:
                for queue, ids in held.items():
                    name = self._names.work(queue)
                    self._database.run(lambda c, name=name, ids=ids: store.renew(c, name, ids, self._lease))
            except (Outage, psycopg.Error) as error:
                log.warning("lease_not_renewed", reason=type(error).__name__)
