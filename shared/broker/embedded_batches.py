"""Publishing into the database: callers that meet share one transaction, each waiting for its commit."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from shared import logs
from shared.broker import embedded_store as store
from shared.broker.embedded_store import Names
from shared.broker.port import Outgoing, PublishError, Unconfirmed, Unroutable
from shared.database.pool import Connection, Database
from shared.outcomes import Outage

AT_ONCE: Final = 500
"""Callers whose messages one transaction takes."""

log = logs.get(__name__)


class Call:
    """One caller's messages, committed together; `failure` says why they could not be."""

    __slots__ = ("abandoned", "failure", "finished", "messages")

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.messages = messages
        self.failure: PublishError | None = None
        self.abandoned = self.finished = False


CallT = TypeVar("CallT", bound=Call)


class Batches(Generic[CallT]):
    """Commits calls on a thread of its own, which starts with the first call, after any fork."""

    def __init__(
        self, database: Database, names: Names, committed: Callable[[Sequence[CallT]], None]
    ) -> None:
        self._database = database
        self._names = names
        self._committed = committed  # called on the thread, also for calls that failed
        self._todo: deque[CallT] = deque()
        self._work = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, call: CallT) -> None:
        """Have `call` committed soon; from any thread."""
        with self._work:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="queue-publisher", daemon=True)
                self._thread.start()
            self._todo.append(call)
            self._work.notify()

    def close(self) -> None:
        """Let the thread end; what waits stays unconfirmed."""
        with self._work:
            self._closed = True
            self._work.notify()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def _serve(self) -> None:
        while calls := self._next():
            failure = self._attempt(calls)
            for call in calls:
                # Neighbours don't share the fate of a message that the database refuses.
                alone = failure is not None and not isinstance(failure, Unconfirmed) and len(calls) > 1
                call.failure = self._attempt([call]) if alone else failure
            self._committed(calls)

    def _attempt(self, calls: Sequence[CallT]) -> PublishError | None:
        """Why `calls` could not be committed together; None once they are."""
        try:
            self._database.run(lambda connection: self._commit(connection, calls))
        except Outage as outage:
            return Unconfirmed(str(outage))
        except store.NOT_DECLARED:
            return Unroutable("the queue does not exist in this database")
        except Exception as error:  # noqa: BLE001 - callers wait for an answer
            log.warning("publish_broken", reason=type(error).__name__)  # its text may quote the message
            return PublishError(f"the database refuses the message: {type(error).__name__}")
        return None

    def _next(self) -> list[CallT]:
        with self._work:
            self._work.wait_for(lambda: self._todo or self._closed)
            taken = [self._todo.popleft() for _ in range(min(AT_ONCE, len(self._todo)))]
        return [call for call in taken if not call.abandoned] or taken

    def _commit(self, connection: Connection, calls: Sequence[CallT]) -> None:
        by_queue: defaultdict[str, list[Outgoing]] = defaultdict(list)
        for call in calls:
            for message in call.messages:
                queue = self._names.topology.queue_for(message.route)
                if queue is not None:  # send() of the broker has refused all others
                    by_queue[queue.name].append(message)
        for queue, messages in sorted(by_queue.items()):
            store.send(
                connection,
                self._names.work(queue),
                [(message.body, store.fresh(message)) for message in messages],
            )
            store.notify(connection, self._names.channel(queue))
