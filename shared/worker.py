"""One worker process from settings to a clean end: patient with what is not there yet, clear about what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final, TypeVar

from shared import logs
from shared.broker.port import Broker, Subscription
from shared.database.errors import WrongDatabase
from shared.database.pool import Database
from shared.outcomes import Outage
from shared.process import stop_event
from shared.settings import WRONG_SETTING, Common, load

PATIENCE: Final = 2.0
"""Seconds between tries to reach a database or broker that is not there yet."""

BROKEN: Final = 1
"""The exit code after something unforeseen; whoever supervises the process starts it again."""

S = TypeVar("S", bound=Common)
T = TypeVar("T")
log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """One process: its broker, what it subscribes to, its database, and what runs beside until the stop."""

    broker: Broker
    subscriptions: Sequence[Subscription]
    database: Database
    beside: Sequence[Callable[[Event], None]] = ()

    def run(self, stop: Event) -> None:
        """Work until `stop` is set, finish what is in hand, let go of everything.

        Exits with BROKEN where something beside broke: half a process looks as if it worked.
        """
        broken = Event()
        threads = [
            Thread(target=_guarded, args=(work, stop, broken), name=f"beside-{n}")
            for n, work in enumerate(self.beside)
        ]
        for thread in threads:
            thread.start()
        try:
            _patiently(self.broker.declare, stop)
            if not stop.is_set():
                log.info("worker_ready")
                self.broker.consume(self.subscriptions, stop)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            self.broker.close()
            self.database.close()
        if broken.is_set():
            raise SystemExit(BROKEN)


def main(service: str, settings: type[S], build: Callable[[S, Event], Worker]) -> None:
    """Run `service` until told to stop; a wrong setting or database is one line and exit code 2."""
    chosen = load(settings)
    logs.configure(service, chosen.log_level)
    stop = stop_event()
    try:
        worker = _patiently(lambda: build(chosen, stop), stop)
    except WrongDatabase as error:
        sys.stderr.write(f"stocksync: {error}\n")
        raise SystemExit(WRONG_SETTING) from None
    if worker is not None:
        worker.run(stop)


def _guarded(work: Callable[[Event], None], stop: Event, broken: Event) -> None:
    """Run `work` until `stop`; what nobody foresaw stops the process, because this thread would be missing."""
    try:
        work(stop)
    except Exception as error:
        log.exception("worker_broke", error=type(error).__name__)
        broken.set()
        stop.set()


def _patiently(work: Callable[[], T], stop: Event) -> T | None:
    """`work`'s answer as soon as what it needs is there; None where the stop came first."""
    while not stop.is_set():
        try:
            return work()
        except Outage as outage:
            log.warning("not_there_yet", reason=str(outage))
            stop.wait(PATIENCE)
    return None
