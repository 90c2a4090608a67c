"""One schedule: two workers, Stripe, people and a queue, interleaved by a seed at every point of I/O."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from random import Random
from typing import Final

from shared.vocabulary import ProductId, SessionId
from tests.simulation.checks import Checks, Violation, at_rest, told_in_time, told_of
from tests.simulation.crew import Crew, Switches
from tests.simulation.memory_books import MemoryBooks
from tests.simulation.memory_stripe import MemoryStripe
from tests.simulation.memory_tables import Tables
from tests.simulation.people import PLENTY, SCARCE, People
from tests.simulation.wire import ACCOUNT, changed, paid, sync

FIRST: Final = ProductId("prod_1")
STEPS: Final = 110
SLANG: Final = 0.1
"""The share of lines that say a size as people taught it."""
ROUNDS: Final = 12
"""Rounds of everything that calm may take; liveness fails after them."""
_HOUR: Final = 3600.0  # seconds


@dataclass(slots=True)
class World:
    """Everything of one schedule."""

    draw: Random
    people: People
    stripe: MemoryStripe
    books: MemoryBooks
    checks: Checks
    crew: Crew
    missed: list[SessionId] = field(default_factory=list[SessionId])
    """Sold, and no webhook came."""
    unheard: set[ProductId] = field(default_factory=set[ProductId])
    """Products of which a webhook never came."""
    backup: Tables | None = None
    installation: str = "one"
    former: frozenset[str] = frozenset()
    odd: float = 1

    @classmethod
    def of(
        cls,
        seed: int,
        switches: Switches | None = None,
        *,
        traced: bool = False,
        odd: float = 1,
        slang: float = SLANG,
    ) -> World:
        """The world of `seed`: `odd` things happen so many times as often, such a share of lines is `slang`."""
        draw, checks = Random(seed), Checks()
        stripe, books = MemoryStripe(draw, checks, Random(f"blind {seed}")), MemoryBooks()
        people = People(stripe, draw, accent=Random(f"slang {seed}"), slang=slang)
        people.stock(FIRST, SCARCE if draw.random() < 0.15 else PLENTY)
        crew = Crew(draw, switches or Switches(), books, stripe, people.told if traced else None)
        books.watch = checks
        world = cls(draw, people, stripe, books, checks, crew, odd=odd)
        checks.ours.add(world.installation)
        return world

    @property
    def trace(self) -> Sequence[str]:
        """What happened."""
        return self.people.told

    def run(self, steps: int = STEPS) -> None:
        """Play the schedule to its rest; raises Violation."""
        doings, weights = zip(*self._steps(), strict=True)
        limits = list(accumulate(weights))
        for _ in range(steps):
            doings[bisect(limits, self.draw.random() * limits[-1])]()
        self._rest()

    # what may happen

    def _steps(self) -> Sequence[tuple[Callable[[], object], float]]:
        people, odd = self.people, self.odd
        return (
            (self._sell, 14),
            (people.edit, 4),
            (people.open_page, 2),
            (people.save_page, 2),
            (people.delete_marker, 0.5 * odd),
            (people.spoil_marker, 0.15 * odd),
            (people.mistype, 0.4 * odd),
            (people.remove_size, 0.3 * odd),
            (people.mend, 1 * odd),
            (self._copy, 0.15 * odd),
            (people.delete, 0.03 * odd),
            (self._late_request, 5),
            (self._deliver, 8),
            (self._sweep, 1.5),
            (self._age, 0.1 * odd),
            (self._back_up, 0.6 * odd),
            (self._restore, 0.2 * odd),
            (self.crew.step, 60),
        )

    def _sell(self) -> None:
        session = self.people.buy()
        for line in session.lines:
            key = f"sale:{ACCOUNT}:{session.id}:{line.id}"
            self.checks.lines[key] = next(s for s in reversed(self.people.lines) if s.line == line.id)
        came = self.draw.random() < 0.95  # some webhooks never come,
        again = self.draw.random() < 0.3  # some come twice
        self.crew.queue += [paid(session.id)] * (came + again)
        if not came and not again:
            self.missed.append(session.id)

    def _copy(self) -> None:
        product = self.people.copy()
        if product is not None and self.draw.random() < 0.5:
            self.crew.queue.append(sync(product))

    def _late_request(self) -> None:
        if self.stripe.late:
            request = self.stripe.late.pop(self.draw.randrange(len(self.stripe.late)))
            if self.draw.random() < 0.8:
                self.crew.tell(f"late {request.key} {request.body}")
                self.stripe.execute(request)

    def _deliver(self) -> None:
        """A webhook of a change: late, out of order, twice, or never."""
        waiting = self.stripe.undelivered
        if not waiting:
            return
        update = self.draw.choice(waiting)
        once = self.draw.random() < 0.8
        if once:
            waiting.remove(update)
        if self.draw.random() < 0.9:
            self.crew.queue.append(changed(update))
        elif once:
            self.unheard.add(update.product)

    def _sweep(self) -> None:
        dirty = [product for product, row in self.books.tables.products.items() if row.dirty]
        self.crew.queue.extend(sync(p) for p in dirty)

    def _age(self) -> None:
        """Hours pass: keys grow old, what was on its way has arrived or never will, no process stood still so long."""
        self.crew.kill_all()
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
        self.crew.tell("the backup is restored")
        self.crew.kill_all()
        for request in self.stripe.late:
            self.stripe.execute(request)
        self.stripe.late.clear()
        self.books.tables, self.books.restored = self.backup.copy(), True
        self.checks.restored(self.books.tables)
        self.former |= {self.installation}
        self.installation = f"life{len(self.former)}"
        self.checks.ours.add(self.installation)
        self.books.installation = self.installation
        self.crew.start(self.installation, self.former)
        with self.books.atomically() as tx:
            for product in self.books.tables.products:
                tx.set_recover(product, recover=True)
                tx.mark_dirty([product])
        self.crew.queue += [paid(session) for session in self.stripe.sessions]

    # rest

    def _rest(self) -> None:
        """Faults end, everything under way arrives, people mend what they spoiled, and calm must come."""
        self.crew.tell("--- rest")
        self.crew.kill_all()
        for request in self.stripe.late:
            self.stripe.execute(request)
        self.stripe.late.clear()
        self.crew.calm = self.stripe.quiet = True
        self.people.repair()
        self.crew.queue += [paid(session) for session in self.missed]
        self._calm_down()
        told_in_time(self.stripe.products, self.books.tables, self.unheard)
        self._take_over()
        self._look_at_all()
        at_rest(self.people, self.books.tables, len(self.crew.parked))

    def _calm_down(self) -> None:
        for _ in range(ROUNDS):
            self.crew.queue += [changed(update) for update in self.stripe.undelivered]
            self.stripe.undelivered.clear()
            self.crew.work_off()
            self._sweep()
            if not self.crew.queue and not self.stripe.undelivered:
                return
        raise Violation(f"liveness: there is no rest after {ROUNDS} rounds")

    def _take_over(self) -> None:
        """People decide about what is in quarantine: Stripe's numbers are right."""
        rows = self.books.tables.products
        for product in [product for product, row in rows.items() if row.state == "quarantined"]:
            if product not in self.people.doubtful | self.stripe.invalid:
                raise Violation(f"Q3: {product} is in quarantine, and nobody gave a reason for it")
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
            self.crew.queue += [changed(update) for update in self.stripe.undelivered]
            self.stripe.undelivered.clear()
            self.crew.work_off()
