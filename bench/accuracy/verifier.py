"""Verifications, each asked for as a person does and waited for, and the findings they have opened."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bench.accuracy.verdict import Told
from bench.sync.waiting import wait_for
from services.backoffice.operations.jobs import run_now
from shared import clock
from shared.alerts import JSON
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Connection, Database
from shared.findings import Cause
from shared.store.findings import Findings
from shared.store.jobs import JobRun, Jobs
from shared.topology import PIPELINE
from shared.vocabulary import ProductId, account_key

JOB: Final = "verify"
ACCOUNT: Final = account_key(None, livemode=False)
STATES: Final = ("open", "acknowledged", "resolved")
OVER: Final = ("done", "failed", "skipped")
PATIENCE: Final = 900.0  # seconds for one run
LOOK: Final = 0.1
MANY: Final = 100_000


@dataclass(frozen=True, slots=True)
class Run:
    """One verification: the seconds from asking for it to its end, and what it says it did."""

    seconds: float
    figures: Mapping[str, JSON]

    def count(self, name: str) -> int:
        """One of its figures."""
        return int(str(self.figures[name]))


@dataclass(frozen=True, slots=True)
class Verifier:
    """A person at the command line, on the pipeline's own database and queue."""

    database: Database
    broker: EmbeddedBroker

    def run(self) -> Run:
        """One verification, to its end; raises RuntimeError where it fails."""
        while True:
            began = clock.monotonic()
            asked = run_now(self.database, self.broker, ACCOUNT, JOB, actor="bench")
            ended = self._end(asked.planned_at)
            if ended.state == "done":
                return Run(clock.monotonic() - began, ended.figures)
            if ended.state == "failed":
                raise RuntimeError(f"the verification failed: {ended.error}")
            # Skipped: the run before it was on record as over, but had not yet let go of its lock.

    def told(self, after: int = 0) -> list[Told]:
        """All findings that were ever opened, those with a number above `after`, in order."""

        def read(connection: Connection) -> list[Told]:
            return [
                Told(one.id, ProductId(one.product), Cause(one.cause), one.state, f"{one.size} {one.detail}")
                for one in reversed(Findings(connection, ACCOUNT).latest(STATES, MANY))
                if one.id > after
            ]

        return self.database.run(read)

    def _end(self, planned_at: datetime) -> JobRun:
        if not wait_for(PATIENCE, lambda: self._now(planned_at).state in OVER, LOOK):
            raise RuntimeError(f"a verification did not end within {PATIENCE:g} s")
        return self._now(planned_at)

    def _now(self, planned_at: datetime) -> JobRun:
        runs = self.database.run(lambda connection: Jobs(connection, ACCOUNT).history(JOB, 5))
        return next(run for run in runs if run.planned_at == planned_at)


@contextmanager
def verifying(address: str) -> Generator[Verifier]:
    """Who asks for verifications in the database at `address`."""
    with (
        closing(Database(address, name="stocksync bench", size=2)) as database,
        closing(EmbeddedBroker(address, PIPELINE)) as broker,
    ):
        yield Verifier(database, broker)
