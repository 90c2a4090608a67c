"""The stock worker's processes: each handles one message at a time, and stops at every point of I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from threading import Event
from typing import Final, cast

from greenlet import GreenletExit, getcurrent, greenlet

from services.stock_worker.deps import Deps
from services.stock_worker.handlers import on_product, on_sales
from shared.database.errors import DatabaseOutage
from shared.messages import AlertOpened, Message, SessionPaid
from shared.outcomes import Done, Outage, Outcome, Reject, RetryLater
from tests.simulation.checks import Violation
from tests.simulation.gateway import Gateway
from tests.simulation.memory_books import MemoryBooks, MemorySitting
from tests.simulation.memory_stripe import MemoryStripe
from tests.simulation.memory_tables import UniqueViolation
from tests.simulation.wire import ACCOUNT, words

_NEVER: Final = 500  # points of I/O of one message, or messages until the queue is empty


class Crash(GreenletExit):
    """The process is gone: whatever it still tries has no effect."""


class _NoWaiting(Event):
    def wait(self, timeout: float | None = None) -> bool:
        del timeout
        return False


_NO_WAITING: Final = _NoWaiting()


@dataclass(frozen=True, slots=True)
class Switches:
    """Parts that can be taken out of the world itself; the parts of the code are patched by the controls."""

    ack_after_commit: bool = True
    unique_keys: bool = True
    one_session: bool = True
    """A worker whose database session is lost notices before its next transaction."""


@dataclass(slots=True)
class Worker:
    """A process with messages in hand."""

    number: int
    thread: greenlet
    messages: tuple[Message, ...]
    dead: bool = False
    lost_session: bool = False
    points: int = 0


@dataclass(slots=True)
class Crew:
    """Two worker processes and their queue; `told` is the schedule's trace."""

    draw: Random
    switches: Switches
    books: MemoryBooks
    stripe: MemoryStripe
    told: list[str] | None = None
    queue: list[Message] = field(default_factory=list[Message])
    workers: dict[int, Worker] = field(default_factory=dict[int, Worker])
    parked: list[str] = field(default_factory=list[str])
    calm: bool = False
    _deps: Deps = field(init=False)

    def __post_init__(self) -> None:
        """Start as the first installation."""
        self.books.reach = self.reach
        self.books.unique_keys = self.switches.unique_keys
        self.start("one", frozenset())

    def start(self, installation: str, former: frozenset[str]) -> None:
        """What worker processes read when they start."""
        self._deps = Deps(
            account=ACCOUNT,
            books=self.books,
            stripe=Gateway(self),
            installation=installation,
            former=former,
            low_stock=5,
            stop=_NO_WAITING,
        )

    def step(self) -> None:
        """One of the two goes on to its next point of I/O, or dies there, or loses its database session."""
        number = self.draw.choice((1, 2))
        worker = self.workers.get(number) or self._hire(number)
        if worker is None:
            return
        luck = self.draw.random()
        if luck < 0.02:
            self._kill(worker)
        elif luck < 0.04:
            self._lose_session(worker)
        else:
            self._go_on(worker)

    def kill_all(self) -> None:
        """No worker is left."""
        for worker in list(self.workers.values()):
            self._kill(worker)

    def work_off(self) -> None:
        """Handle all that is queued, undisturbed."""
        begun = 0
        while self.queue:
            begun += 1
            if begun > _NEVER:
                raise Violation("liveness: the queue never empties")
            worker = self._hire(1)
            if worker is not None:
                self._serve(worker)

    def tell(self, what: str) -> None:
        """A line of the trace."""
        if self.told is not None:
            self.told.append(what)

    def _hire(self, number: int) -> Worker | None:
        if not self.queue:
            return None
        first = self.queue.pop(self.draw.randrange(len(self.queue)))
        taken = [first]
        if isinstance(first, SessionPaid):
            limit = None if self.calm else self.draw.randrange(3)
            more = [n for n, m in enumerate(self.queue) if isinstance(m, SessionPaid)][:limit]
            taken += [self.queue[n] for n in more]
            for number_in_queue in reversed(more):
                del self.queue[number_in_queue]
        worker = Worker(number, greenlet(self._serve), tuple(taken))
        self.workers[number] = worker
        if self.told is not None:
            self.tell(f"worker {number} takes {[words(m) for m in taken]}")
        return worker

    def _serve(self, worker: Worker) -> None:
        deps = self._deps
        messages = worker.messages
        try:
            if isinstance(messages[0], SessionPaid):
                outcomes = on_sales(messages, deps)
            else:
                outcomes = [on_product(messages[0], deps)]
        except UniqueViolation as twice:
            raise Violation(f"S3: two writes at once, {twice}") from None
        except Outage as outage:
            outcomes = [RetryLater(str(outage)) for _ in messages]
        self._answered(worker, outcomes)

    def _answered(self, worker: Worker, outcomes: Iterable[Outcome]) -> None:
        for message, outcome in zip(worker.messages, outcomes, strict=True):
            if self.told is not None:
                self.tell(f"worker {worker.number}: {words(message)}: {outcome}")
            match outcome:
                case Done(then=hints):
                    self.queue += [
                        hint
                        for hint in hints
                        if not isinstance(hint, AlertOpened) and (self.calm or self.draw.random() < 0.95)
                    ]
                case RetryLater():
                    if self.switches.ack_after_commit:
                        self.queue.append(message)
                case Reject(reason):
                    self.parked.append(reason)
                case _:
                    pass

    def _go_on(self, worker: Worker) -> None:
        worker.thread.switch(worker) if worker.points == 0 else worker.thread.switch()
        worker.points += 1
        if worker.points > _NEVER:
            raise Violation(f"liveness: {words(worker.messages[0])} never ends")
        if worker.thread.dead:
            self.workers.pop(worker.number, None)

    def _kill(self, worker: Worker) -> None:
        self.tell(f"worker {worker.number} is killed")
        worker.dead = True
        if worker.points:
            worker.thread.throw(Crash)
        self.workers.pop(worker.number, None)
        if self.switches.ack_after_commit:
            self.queue += worker.messages

    def _lose_session(self, worker: Worker) -> None:
        self.tell(f"worker {worker.number} loses its database session")
        worker.lost_session = True
        for product in [p for p, holder in self.books.locks.items() if holder.owner == worker.number]:
            del self.books.locks[product]

    def reach(self, point: str, sitting: MemorySitting | None) -> None:
        """A point of I/O of whoever runs now: others may go first, and it may be its last."""
        if self.calm:
            return
        thread = getcurrent()
        worker = next((w for w in self.workers.values() if w.thread is thread), None)
        if worker is None or worker.dead:
            raise Crash
        if sitting is not None and not sitting.owner:
            sitting.owner = worker.number
        cast("greenlet", thread.parent).switch()
        if worker.dead:
            raise Crash
        if worker.lost_session and sitting is not None and self.switches.one_session:
            if point == "unlock":
                worker.lost_session = False
            raise DatabaseOutage("the session was lost")
