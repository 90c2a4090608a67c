"""The consuming side: an I/O thread that feeds worker threads and carries out their verdicts."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from queue import Empty

from shared import logs
from shared.broker import rabbitmq_envelope as envelopes
from shared.broker.port import Ack, DeadLetter, PublishError, RetryIn, Return, Subscription, Verdict
from shared.broker.rabbitmq_client import Connection
from shared.broker.rabbitmq_envelope import Envelope
from shared.broker.rabbitmq_feed import Feed, Item
from shared.broker.rabbitmq_link import Hooks, ThreadLink
from shared.broker.rabbitmq_publisher import Publisher
from shared.broker.rabbitmq_topology import NOT_FOUND, Names

TURN = 5.0  # seconds after which the next queue opens although this one still has messages that came back
PUBLISH_TIMEOUT = 5.0  # seconds
PUBLISH_PAUSE = 1.0  # seconds between tries to park or delay a message
BROKEN_HANDLE_DELAY = 60.0  # seconds

log = logs.get(__name__)


class Consumer:
    """Serves subscriptions from one connection; `run` blocks until it is told to stop."""

    def __init__(
        self, url: str, names: Names, publisher: Publisher, subscriptions: Sequence[Subscription]
    ) -> None:
        self._names = names
        self._publisher = publisher
        self._feeds = [Feed(s, names.work(s.queue), self._trouble) for s in subscriptions]
        self._stop = threading.Event()
        self._connections = 0
        self._link = ThreadLink(url, "consumer", Hooks(up=self._up, down=self._down))

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set; then finish what handlers have in hand, return the rest, and close."""
        self._stop = stop
        workers = [
            threading.Thread(
                target=self._work, args=(feed,), name=f"{feed.subscription.queue}-{n}", daemon=True
            )
            for feed in self._feeds
            for n in range(feed.subscription.workers)
        ]
        for worker in workers:
            worker.start()
        self._link.start()
        stop.wait()
        for feed in self._feeds:
            self._link.run(feed.close)
            for _ in range(feed.subscription.workers):
                feed.inbox.put(None)
        for worker in workers:
            worker.join()
        self._link.close()  # after the last verdict, on the same thread: nothing overtakes an ack

    def _up(self, connection: Connection) -> None:
        self._connections += 1
        self._open(0, self._connections, connection)

    def _open(self, turn: int, number: int, connection: Connection) -> None:
        """Open one feed after the other, so that a message that kills us has no neighbours elsewhere."""
        if number != self._connections:
            return
        if turn == len(self._feeds):
            self._link.proven()
            return
        passed = False

        def onward() -> None:
            nonlocal passed
            if not passed and connection.is_open:
                passed = True
                self._open(turn + 1, number, connection)

        self._feeds[turn].open(connection, onward)
        self._link.later(TURN, onward)

    def _down(self, _reason: str, _code: int) -> None:
        for feed in self._feeds:
            feed.lost()

    def _trouble(self, reason: str, code: int) -> None:
        if self._stop.is_set():
            return
        if code == NOT_FOUND:
            self._publisher.renewal.begin()
        self._link.throw_away(reason, code)

    def _work(self, feed: Feed) -> None:
        while (first := feed.inbox.get()) is not None:
            batch = [item for item in _take(feed, first) if feed.current(item)]
            if batch:
                self._carry_out(feed, batch, self._verdicts(feed, batch))

    def _verdicts(self, feed: Feed, batch: Sequence[Item]) -> Sequence[Verdict]:
        if self._stop.is_set():
            return [Return() for _ in batch]
        try:
            return feed.subscription.handle([item.delivery for item in batch])
        except Exception as error:
            log.exception("handle_broken", queue=feed.subscription.queue)
            return [RetryIn(BROKEN_HANDLE_DELAY, type(error).__name__) for _ in batch]

    def _carry_out(self, feed: Feed, batch: Sequence[Item], verdicts: Sequence[Verdict]) -> None:
        answers = list(zip(batch, verdicts, strict=True))
        moves = {item.tag: move for item, verdict in answers if (move := self._move(item, verdict))}
        moved = self._publish(feed, batch[0], list(moves.values()))
        acked: list[Item] = []
        returned: list[Item] = []
        for item, verdict in answers:
            done = isinstance(verdict, Ack) or (moved and item.tag in moves)
            (acked if done else returned).append(item)
        self._link.run(partial(feed.settle, acked, returned))

    def _move(self, item: Item, verdict: Verdict) -> Envelope | None:
        """The copy that has to be confirmed elsewhere before `item` may be acknowledged here."""
        delivery, queue = item.delivery, item.delivery.queue
        match verdict:
            case RetryIn(seconds, reason, counts):
                rung = self._names.rung(queue, seconds)
                return envelopes.again(rung, delivery, delivery.attempt + counts, reason)
            case DeadLetter(reason):
                return envelopes.parked(self._names.dead(queue), delivery, reason)
            case Return() if item.returns:
                # RabbitMQ counts a return as a delivery; a message must not die of our restarts.
                return envelopes.again(self._names.work(queue), delivery, delivery.attempt, "returned")
            case _:
                return None

    def _publish(self, feed: Feed, sample: Item, moves: Sequence[Envelope]) -> bool:
        while True:
            try:
                self._publisher.send(moves, PUBLISH_TIMEOUT)
            except PublishError as error:
                log.warning("verdict_unconfirmed", queue=feed.subscription.queue, error=type(error).__name__)
            else:
                return True
            if not feed.current(sample) or self._stop.wait(PUBLISH_PAUSE):
                return False  # it comes back by itself, or is given back


def _take(feed: Feed, first: Item) -> list[Item]:
    """`first` and what else is there, up to a batch."""
    batch = [first]
    while len(batch) < feed.subscription.batch:
        try:
            item = feed.inbox.get_nowait()
        except Empty:
            break
        if item is None:
            feed.inbox.put(None)  # the sign to leave is for one worker each
            break
        batch.append(item)
    return batch
