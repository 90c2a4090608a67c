"""One schedule: two workers, Stripe, people and a queue, interleaved by a seed at every point of I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate
from random import Random
from threading import Event
from typing import Final, cast

from greenlet import GreenletExit, getcurrent, greenlet

from services.stock_worker.deps import Deps
from services.stock_worker.handlers import on_product, on_sales
from shared.database.errors import DatabaseOutage
from shared.messages import AlertOpened, Message, ProductChanged, SessionPaid, SyncRequested
from shared.outcomes import Done, Outage, Outcome, Reject, RetryLater
from shared.stripe_api.answers import StripeUnavailable, WriteAnswer
from shared.stripe_api.objects import Product, ProductUpdate
from shared.stripe_api.sessions import SessionAnswer
from shared.vocabulary import AccountKey, ProductId, SessionId
from tests.simulation.checks import Checks, Violation, at_rest, told_of
from tests.simulation.memory_books import EPOCH, MemoryBooks, MemorySitting, Tables, UniqueViolation
from tests.simulation.memory_stripe import MemoryStripe, Request
from tests.simulation.people import PLENTY, SCARCE, People

ACCOUNT: Final = AccountKey("self:test")
FIRST: Final = ProductId("prod_1")
STEPS: Final = 110
ROUNDS: Final = 12
"""Rounds of everything that calm may take; liveness fails after them."""
_NEVER: Final = 500  # points of I/O of one message


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
class World:
    """Everything of one schedule; `trace` tells what happened."""

    draw: Random
    switches: Switches
    people: People
    stripe: MemoryStripe
    books: MemoryBooks
    checks: Checks
    queue: list[Message] = field(default_factory=list[Message])
    workers: dict[int, Worker] = field(default_factory=dict[int, Worker])
    missed: list[SessionId] = field(default_factory=list[SessionId])
    """Sold, and no webhook came."""
    parked: list[str] = field(default_factory=list[str])
    backup: Tables | None = None
    installation: str = "one"
    former: frozenset[str] = frozenset()
    trace: list[str] | None = None
    calm: bool = False
    _deps: Deps = field(init=False)

    def __post_init__(self) -> None:
        self._start()

    @classmethod
    def of(cls, seed: int, switches: Switches | None = None, *, traced: bool = False) -> World:
        """The world of `seed`."""
        draw = Random(seed)
        checks = Checks()
        checks.ours.add("one")
        stripe = MemoryStripe(draw, checks)  # pyright: ignore[reportArgumentType] - has the judge's methods
        people = People(stripe, draw)
        people.stock(FIRST, SCARCE if draw.random() < 0.15 else PLENTY)
        books = MemoryBooks()
        world = cls(draw, switches or Switches(), people, stripe, books, checks)
        books.watch = checks  # pyright: ignore[reportAttributeAccessIssue] - has the watch's methods
        books.reach = world.reach
        books.unique_keys = world.switches.unique_keys
        if traced:
            world.trace = people.told
        return world

    def run(self, steps: int = STEPS) -> None:
        """Play the schedule to its rest; raises Violation."""
        doings, weights = zip(*self._steps(), strict=True)
        limits = list(accumulate(weights))
        for _ in range(steps):
            self.draw.choices(doings, cum_weights=limits)[0]()
        self._rest()

    def _start(self) -> None:
        """What a worker process reads when it starts."""
        self._deps = Deps(
            account=ACCOUNT,
            books=self.books,
            stripe=Gateway(self),
            installation=self.installation,
            former=self.former,
            low_stock=5,
            stop=_NO_WAITING,
        )

    # what may happen

    def _steps(self) -> Sequence[tuple[Callable[[], object], float]]:
        people = self.people
        return (
            (self._sell, 14),
            (people.edit, 4),
            (people.open_page, 2),
            (people.save_page, 2),
            (people.delete_marker, 0.5),
            (people.spoil_marker, 0.15),
            (people.mistype, 0.4),
            (people.remove_size, 0.3),
            (people.mend, 1),
            (self._copy, 0.15),
            (people.delete, 0.03),
            (self._late_request, 5),
            (self._deliver, 8),
            (self._sweep, 1.5),
            (self._age, 0.1),
            (self._back_up, 0.6),
            (self._restore, 0.2),
            (self._step, 60),
        )

    def _sell(self) -> None:
        session = self.people.buy()
        for line in session.lines:
            key = f"sale:{ACCOUNT}:{session.id}:{line.id}"
            self.checks.lines[key] = next(s for s in reversed(self.people.lines) if s.line == line.id)
        came = self.draw.random() < 0.95  # some webhooks never come,
        again = self.draw.random() < 0.3  # some come twice
        self.queue += [_paid(session.id)] * (came + again)
        if not came and not again:
            self.missed.append(session.id)

    def _copy(self) -> None:
        product = self.people.copy()
        if product is not None and self.draw.random() < 0.5:
            self.queue.append(SyncRequested.model_construct(account=ACCOUNT, product=product))

    def _late_request(self) -> None:
        if self.stripe.late:
            request = self.stripe.late.pop(self.draw.randrange(len(self.stripe.late)))
            if self.draw.random() < 0.8:
                self._tell(f"late {request.key} {request.body}")
                self.stripe.execute(request)

    def _deliver(self) -> None:
        """A webhook of a change: late, out of order, twice, or never."""
        waiting = self.stripe.undelivered
        if not waiting:
            return
        update = self.draw.choice(waiting)
        if self.draw.random() < 0.8:
            waiting.remove(update)
        if self.draw.random() < 0.9:
            self.queue.append(_changed(update))

    def _sweep(self) -> None:
        dirty = [product for product, row in self.books.tables.products.items() if row.dirty]
        self.queue.extend(SyncRequested.model_construct(account=ACCOUNT, product=p) for p in dirty)

    def _age(self) -> None:
        """Hours pass: keys grow old; what was on its way has arrived or never will, and no process stands still so long."""
        for worker in list(self.workers.values()):
            self._kill(worker)
        self.stripe.late.clear()
        hours = self.draw.choice((1, 21, 26)) * 3600.0
        self.stripe.now += hours
        self.books.now += hours

    def _back_up(self) -> None:
        self.backup = self.books.tables.copy()

    def _restore(self) -> None:
        """The database is gone; people stop the workers, restore a backup and say so."""
        if self.backup is None:
            return
        self._tell("the backup is restored")
        for worker in list(self.workers.values()):
            self._kill(worker)
        for request in self.stripe.late:
            self.stripe.execute(request)
        self.stripe.late.clear()
        self.books.tables, self.books.restored = self.backup.copy(), True
        self.former |= {self.installation}
        self.installation = f"life{len(self.former)}"
        self.checks.ours.add(self.installation)
        self._start()
        with self.books.atomically() as tx:
            for product in self.books.tables.products:
                tx.set_recover(product, recover=True)
                tx.mark_dirty([product])
        self.queue += [_paid(session) for session in self.stripe.sessions]

    def _step(self) -> None:
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

    # workers

    def _hire(self, number: int) -> Worker | None:
        if not self.queue:
            return None
        first = self.queue.pop(self.draw.randrange(len(self.queue)))
        taken = [first]
        if isinstance(first, SessionPaid):
            limit = None if self.calm else self.draw.randrange(3)
            more = [m for m in self.queue if isinstance(m, SessionPaid)][:limit]
            taken += more
            chosen = set(map(id, more))
            self.queue = [m for m in self.queue if id(m) not in chosen]
        worker = Worker(number, greenlet(self._serve), tuple(taken))
        self.workers[number] = worker
        if self.trace is not None:
            self._tell(f"worker {number} takes {[_words(m) for m in taken]}")
        return worker

    def _serve(self, worker: Worker) -> None:
        deps = self._deps
        messages = worker.messages
        try:
            if isinstance(messages[0], SessionPaid):
                outcomes = on_sales(messages, deps)
            else:
                outcomes = [on_product(messages[0], deps)]
        except (Outage, UniqueViolation) as outage:
            outcomes = [RetryLater(str(outage)) for _ in messages]
        self._answered(worker, outcomes)

    def _answered(self, worker: Worker, outcomes: Iterable[Outcome]) -> None:
        for message, outcome in zip(worker.messages, outcomes, strict=True):
            if self.trace is not None:
                self._tell(f"worker {worker.number}: {_words(message)}: {outcome}")
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
            raise Violation(f"liveness: {_words(worker.messages[0])} never ends")
        if worker.thread.dead:
            self.workers.pop(worker.number, None)

    def _kill(self, worker: Worker) -> None:
        self._tell(f"worker {worker.number} is killed")
        worker.dead = True
        if worker.points:
            worker.thread.throw(Crash)
        self.workers.pop(worker.number, None)
        if self.switches.ack_after_commit:
            self.queue += worker.messages

    def _lose_session(self, worker: Worker) -> None:
        self._tell(f"worker {worker.number} loses its database session")
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

    # rest

    def _rest(self) -> None:
        """Faults end, everything under way arrives, people mend what they spoiled, and calm must come."""
        self._tell("--- rest")
        for worker in list(self.workers.values()):
            self._kill(worker)
        for request in self.stripe.late:
            self.stripe.execute(request)
        self.stripe.late.clear()
        self.calm = self.stripe.quiet = True
        self.people.repair()
        self.queue += [_paid(session) for session in self.missed]
        self._calm_down()
        self._take_over()
        self._look_at_all()
        at_rest(self.people, self.books.tables, len(self.parked))

    def _calm_down(self) -> None:
        for _ in range(ROUNDS):
            self.queue += [_changed(update) for update in self.stripe.undelivered]
            self.stripe.undelivered.clear()
            self._work_off()
            self._sweep()
            if not self.queue and not self.stripe.undelivered:
                break

    def _take_over(self) -> None:
        """People decide about what is in quarantine: Stripe's numbers are right."""
        rows = self.books.tables.products
        for product in [product for product, row in rows.items() if row.state == "quarantined"]:
            self.people.take_over(product, told_of(self.books.tables))
            rows[product] = replace(rows[product], take_over=True)

    def _look_at_all(self) -> None:
        """What the periodic check does, some time later: every product is looked at once more."""
        self.books.now += 3600
        self.stripe.now += 3600
        for product in list(self.books.tables.products):
            with self.books.atomically() as tx:
                tx.mark_dirty([product])
        for _ in range(2):
            self._sweep()
            self.queue += [_changed(update) for update in self.stripe.undelivered]
            self.stripe.undelivered.clear()
            self._work_off()

    def _work_off(self) -> None:
        begun = 0
        while self.queue:
            begun += 1
            if begun > _NEVER:
                raise Violation("liveness: the queue never empties")
            worker = self._hire(1)
            if worker is not None:
                self._serve(worker)

    def _tell(self, what: str) -> None:
        if self.trace is not None:
            self.trace.append(what)


@dataclass(frozen=True, slots=True)
class Gateway:
    """One worker's way to Stripe."""

    world: World

    def product(self, product: ProductId) -> Product | None:
        """GET by id."""
        self._go("GET")
        found = self.world.stripe.product(product)
        self.world._tell(f"    GET {product}: {found.metadata if found else None}")
        return found

    def product_updates(self, product: ProductId, since: datetime) -> Iterable[ProductUpdate]:
        """The event log."""
        del since
        self._go("GET events")
        return self.world.stripe.updates(product)

    def checkout_sessions(self, wanted: Mapping[SessionId, datetime]) -> dict[SessionId, SessionAnswer]:
        """Sessions, which nothing happens to."""
        self._go("GET sessions")
        return {session: self.world.stripe.sessions[session] for session in wanted}

    def write_metadata(self, product: ProductId, body: Mapping[str, str], key: str) -> WriteAnswer:
        """POST."""
        self.world.reach("POST", None)
        answer = self.world.stripe.send(Request(product, tuple(body.items()), key))
        self.world._tell(f"    POST {key} {dict(body)}: {answer.result}")
        self.world.reach("POSTed", None)
        return answer

    def _go(self, point: str) -> None:
        self.world.reach(point, None)
        if not self.world.calm and self.world.draw.random() < self.world.stripe.chances.unread:
            raise StripeUnavailable("no answer")


def _paid(session: SessionId) -> SessionPaid:
    return SessionPaid.model_construct(account=ACCOUNT, session=session, at=EPOCH, event=None)


def _changed(update: ProductUpdate) -> ProductChanged:
    return ProductChanged.model_construct(
        account=ACCOUNT,
        product=update.product,
        event=update.event,
        change="updated",
        at=EPOCH,
        idempotency_key=update.idempotency_key,
        metadata=update.metadata,
        previous_metadata=update.previous_metadata,
    )


def _words(message: Message) -> str:
    if isinstance(message, SessionPaid):
        return f"sale {message.session}"
    if isinstance(message, ProductChanged):
        return f"event {message.event} of {message.product} by {message.idempotency_key}"
    return f"{message.type} {getattr(message, 'product', '')}"
