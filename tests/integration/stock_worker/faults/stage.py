"""A stage for one case: a shop, a worker that may die and is replaced, its queue, and what must hold at rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import Any, Final

import requests

from services.stock_worker.deps import Deps, Stripe
from services.stock_worker.handlers import on_product, on_sales
from services.stock_worker.sql_books import SqlBooks
from shared import clock
from shared.database.pool import Connection, Database
from shared.messages import (
    AlertOpened,
    CheckupRequested,
    Message,
    ProductChanged,
    SessionPaid,
    SyncRequested,
)
from shared.outcomes import Done, Outage, Reject, RetryLater
from shared.stripe_api.answers import WriteAnswer
from shared.vocabulary import EventId, ProductId, SessionId
from tests.integration.stock_worker.faults.wires import (
    BrokenBooks,
    BrokenStripe,
    Crash,
    Fault,
    Post,
    Wire,
)
from tests.integration.stock_worker.shop import ACCOUNT, Shop, webhook_of

WORKER: Final = "broken worker"
"""What the server calls the sessions of the workers that are tried."""

PATIENCE: Final = 12
"""Times a message may be taken up again; a single fault costs one, and a scenario's accidents few."""

_LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


class Unrest(AssertionError):
    """What must hold at rest does not."""


@dataclass(slots=True)
class Stage:
    """What a scenario does: people and customers at the shop, messages to the worker."""

    shop: Shop
    dsn: str
    admin: Connection
    wire: Wire
    stripe: Stripe
    installation: str = "testing"
    former: frozenset[str] = frozenset()
    products: list[ProductId] = field(default_factory=list[ProductId])
    gone: set[ProductId] = field(default_factory=set[ProductId])
    told: set[EventId] = field(default_factory=set[EventId])
    turn: int = 0
    """The I/O point from which on it is the scenario's own matter."""
    queue: deque[Message] = field(default_factory=deque[Message])
    _pools: list[Database] = field(default_factory=list[Database])
    _deps: Deps | None = None

    # people

    def product(self, **metadata: str) -> ProductId:
        """A new product."""
        product = self.shop.product(**metadata)
        self.products.append(product)
        return product

    def buy(self, product: ProductId, units: int = 1, size: str = "") -> SessionId:
        """A customer pays; nobody has told the worker yet."""
        return self.shop.sold(self.shop.line(product, size, units))

    def sell(self, product: ProductId, units: int = 1, size: str = "") -> None:
        """A customer pays, and the worker is told."""
        self.tell_sale(self.buy(product, units, size))

    def delete(self, product: ProductId) -> None:
        """A person deletes the product."""
        requests.delete(f"{self.shop.url}/_dashboard/products/{product}", timeout=30).raise_for_status()
        self.gone.add(product)

    def accident(self, happens: Callable[[Post], WriteAnswer]) -> None:
        """What happens to the next POST, instead of the POST alone."""
        self.wire.accidents.append(happens)

    # messages

    def tell_sale(self, session: SessionId) -> None:
        """The event of a paid session comes."""
        told = SessionPaid(
            account=ACCOUNT, session=session, at=datetime.now(UTC), event=EventId(f"evt_{session}")
        )
        self._deliver(told)

    def tell_sync(self, product: ProductId) -> None:
        """Somebody wants the product looked at, as the periodic check does."""
        self.admin.execute("update product set dirty_since = now() where id = %s", (product,))
        self._deliver(SyncRequested(account=ACCOUNT, product=product))

    def check_up(self) -> None:
        """Somebody asks whether events get through."""
        self._deliver(CheckupRequested(account=ACCOUNT, event=EventId("evt_checkup"), at=datetime.now(UTC)))

    def tell_events(self, product: ProductId, *, newest_first: bool = False, last: int = 0) -> bool:
        """The product's events that were not told yet come, or only its `last`; whether there were any."""
        updates = [u for u in self.stripe.product_updates(product, _LONG_AGO) if u.event not in self.told]
        for update in list(reversed(updates) if newest_first else updates)[-last:]:
            self.told.add(update.event)
            self._deliver(webhook_of(update))
        return bool(updates)

    def tell_deletion(self, product: ProductId) -> None:
        """The event of a deleted product comes, late: recovery found it."""
        event = EventId(f"evt_deleted{product}")
        self._deliver(
            ProductChanged(
                account=ACCOUNT,
                product=product,
                event=event,
                change="deleted",
                at=datetime.now(UTC),
                origin="recovery",
            )
        )

    def rest(self) -> None:
        """Every event comes, and the periodic check looks at every product, until nothing is new."""
        for _ in range(PATIENCE):
            for product in self.products:
                self.tell_events(product)
            for product in self.products:
                self.tell_sync(product)
            more = [product for product in self.products if self.tell_events(product)]
            if not more:
                return
        raise Unrest("every look makes another event")

    def close(self) -> None:
        """Let go of the workers' sessions."""
        for pool in self._pools:
            pool.close()

    def _deliver(self, message: Message) -> None:
        self.queue.append(message)
        tries = 0
        while self.queue:
            tries += 1
            if tries > PATIENCE:
                raise Unrest(f"{self.queue[0].type} never ends")
            if self._serve(self.queue[0]):
                self.queue.popleft()

    def _serve(self, message: Message) -> bool:
        """Whether the worker is through with the message; a dead worker is replaced."""
        deps = self._deps or self._hire()
        try:
            sales = isinstance(message, SessionPaid | CheckupRequested)
            outcome = on_sales([message], deps)[0] if sales else on_product(message, deps)
        except Crash:
            self._deps = None
            return False
        except Outage:
            if self.wire.dead:
                self._deps = None
            return False
        if self.wire.dead:
            raise Unrest("a dead worker went on")
        if isinstance(outcome, Reject):
            raise Unrest(outcome.reason)
        if isinstance(outcome, Done):
            self.queue.extend(hint for hint in outcome.then if not isinstance(hint, AlertOpened))
        return not isinstance(outcome, RetryLater)

    def _hire(self) -> Deps:
        self.wire.dead = False
        stop = Event()
        stop.set()  # nobody waits for the pace between two writes
        self._pools.append(pool := Database(self.dsn, name=WORKER, size=2))
        books = BrokenBooks(SqlBooks(pool, ACCOUNT), self.wire)
        stripe = BrokenStripe(self.stripe, self.wire)
        self._deps = Deps(ACCOUNT, books, stripe, self.installation, self.former, 0, stop, pace=0)
        return self._deps

    def restore_backup(self, new_id: str) -> None:
        """From now on workers know that the database is older than Stripe."""
        self.former |= {self.installation}
        self.installation, self._deps = new_id, None
        self.admin.execute("update product set recover = true where id = any(%s)", (self.products,))


@contextmanager
def staged(
    shop: Shop, dsn: str, admin: Connection, *, at: int | None = None, fault: Fault | None = None
) -> Generator[Stage]:
    """A stage on an empty simulator; `fault` comes at the I/O point number `at`."""

    def sever() -> None:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s", (WORKER,)
        )
        deadline = clock.monotonic() + 10
        while admin.execute("select from pg_stat_activity where application_name = %s", (WORKER,)).fetchone():
            assert clock.monotonic() < deadline, "a terminated session lives on"

    shop.control("/_reset")
    stage = Stage(shop, dsn, admin, Wire(sever, at=at, fault=fault), shop.deps.stripe)
    try:
        yield stage
    finally:
        stage.close()


def oracle(shop: Shop) -> dict[str, Any]:
    """What people intend, as the simulator knows it."""
    return requests.get(f"{shop.url}/_oracle", timeout=30).json()
