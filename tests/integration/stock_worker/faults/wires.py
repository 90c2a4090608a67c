"""The worker's books and Stripe with a break in the wire: the real ones, and one fault at one I/O point."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NoReturn, TypeVar

from services.stock_worker.books import Books, Sitting, Tx
from services.stock_worker.deps import Stripe
from shared.database.errors import DatabaseOutage
from shared.stripe_api.answers import StripeUnavailable, WriteAnswer, WriteResult
from shared.stripe_api.objects import Product, ProductUpdate
from shared.stripe_api.sessions import SessionAnswer
from shared.vocabulary import ProductId, SessionId
from tests.integration.stock_worker.faults.points import caller

T = TypeVar("T")
Post = Callable[[], WriteAnswer]


class Fault(StrEnum):
    """What happens at a point."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    ERROR = "error"  # it was not done, and the worker is told so
    TIMEOUT = "timeout"  # it was done, and the worker is not told so


class Crash(BaseException):
    """The process ends here: nothing it would still do has any effect."""


@dataclass(slots=True)
class Wire:
    """Counts the points that workers pass, and spoils the one numbered `at`; `sever` ends their sessions."""

    sever: Callable[[], None]
    passed: list[str] = field(default_factory=list[str])
    at: int | None = None
    fault: Fault | None = None
    dead: bool = False
    accidents: deque[Callable[[Post], WriteAnswer]] = field(
        default_factory=deque[Callable[[Post], WriteAnswer]]
    )
    """What happens to the next POSTs, with or without a fault; part of the scenario."""

    def step(self, point: str, do: Callable[[], T], fail: Callable[[], T], lose: Callable[[], T]) -> T:
        """Pass `point` by `do`; `fail` is its error, `lose` what the worker gets once `do` was done unseen."""
        if self.dead:
            raise Crash
        fault = self.fault if self.at == len(self.passed) else None
        self.passed.append(point)
        if fault is Fault.CRASH_BEFORE:
            self._crash()
        if fault is Fault.ERROR:
            return fail()
        done = do()
        if fault is Fault.CRASH_AFTER:
            self._crash()
        return lose() if fault is Fault.TIMEOUT else done

    def database_step(self, point: str, do: Callable[[], T]) -> T:
        """A step whose error and whose timeout are a lost database session."""
        return self.step(point, do, self._outage, self._outage)

    def read_step(self, point: str, do: Callable[[], T]) -> T:
        """A step whose error and whose timeout are no answer of Stripe."""
        return self.step(point, do, _no_answer, _no_answer)

    def _crash(self) -> NoReturn:
        self.dead = True
        self.sever()
        raise Crash

    def _outage(self) -> NoReturn:
        self.sever()
        raise DatabaseOutage("the session was lost")


def _no_answer() -> NoReturn:
    raise StripeUnavailable("no answer")


def unknown() -> WriteAnswer:
    """No answer to a write."""
    return WriteAnswer(WriteResult.UNKNOWN, detail="no answer")


@dataclass(frozen=True, slots=True)
class BrokenSitting:
    """A real pinned connection behind a wire."""

    sitting: Sitting
    wire: Wire

    def try_lock(self, product: ProductId) -> bool:
        """Take the product's lock; whether it was free."""
        return self.wire.database_step(f"{caller()} try_lock", lambda: self.sitting.try_lock(product))

    def unlock(self, product: ProductId) -> None:
        """Let it go."""
        self.wire.database_step(f"{caller()} unlock", lambda: self.sitting.unlock(product))

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        """A transaction, with a point where it begins and one where it commits."""
        place, real = caller(), self.sitting.transaction()
        with ExitStack() as stack:
            yield self.wire.database_step(f"{place} begin", lambda: stack.enter_context(real))
            self.wire.database_step(f"{place} commit", stack.close)


@dataclass(frozen=True, slots=True)
class BrokenBooks:
    """Real books behind a wire."""

    books: Books
    wire: Wire

    @contextmanager
    def sitting(self) -> Generator[Sitting]:
        """A pinned connection, with a point where it is opened and one where it is given back."""
        place, real = caller(), self.books.sitting()
        with ExitStack() as stack:
            sitting = self.wire.database_step(f"{place} open", lambda: stack.enter_context(real))
            yield BrokenSitting(sitting, self.wire)
            self.wire.database_step(f"{place} close", stack.close)

    def run(self, work: Callable[[Tx], T]) -> T:
        """What `work` returns; its error is a session that is lost before the commit, in the middle of the work."""
        wire = self.wire

        def dying(tx: Tx) -> T:
            done = work(tx)
            wire.sever()
            return done

        def lose() -> NoReturn:
            raise DatabaseOutage("the session was lost after the commit")

        point = f"{caller()} run"
        return wire.step(point, lambda: self.books.run(work), lambda: self.books.run(dying), lose)


@dataclass(frozen=True, slots=True)
class BrokenStripe:
    """The real client behind a wire."""

    stripe: Stripe
    wire: Wire

    def product(self, product: ProductId) -> Product | None:
        """GET by id."""
        return self.wire.read_step(f"{caller()} GET product", lambda: self.stripe.product(product))

    def checkout_sessions(self, wanted: Mapping[SessionId, datetime]) -> dict[SessionId, SessionAnswer]:
        """GET of sessions and their lines."""
        return self.wire.read_step(f"{caller()} GET sessions", lambda: self.stripe.checkout_sessions(wanted))

    def product_updates(self, product: ProductId, since: datetime) -> Iterable[ProductUpdate]:
        """GET of the event log."""
        return self.wire.read_step(
            f"{caller()} GET events", lambda: list(self.stripe.product_updates(product, since))
        )

    def write_metadata(self, product: ProductId, body: Mapping[str, str], key: str) -> WriteAnswer:
        """POST, or what the scenario makes of it."""

        def post() -> WriteAnswer:
            return self.stripe.write_metadata(product, body, key)

        def meet() -> WriteAnswer:
            return self.wire.accidents.popleft()(post) if self.wire.accidents else post()

        return self.wire.step(f"{caller()} POST", meet, unknown, unknown)
