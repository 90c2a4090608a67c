"""The campaign: each scenario is recorded once, then played again with one fault at one of its I/O points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.stock_worker import handlers
from shared.database.pool import Connection
from tests.integration.stock_worker.faults.checks import at_rest
from tests.integration.stock_worker.faults.scenarios import SCENARIOS
from tests.integration.stock_worker.faults.stage import staged
from tests.integration.stock_worker.faults.wires import Fault
from tests.integration.stock_worker.shop import Shop


@dataclass(frozen=True, slots=True)
class Case:
    """One fault at the I/O point number `at` of a scenario, whose name is `point`."""

    scenario: str
    at: int
    point: str
    fault: Fault


@dataclass(slots=True)
class Campaign:
    """Plays on one server and one simulator; `recorded` holds the points of each scenario in order."""

    shop: Shop
    dsn: str
    admin: Connection
    recorded: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def record(self) -> None:
        """Play every scenario without a fault; raises Unrest where one does not even hold so."""
        for name in SCENARIOS:
            self.recorded[name] = self._play(name)

    def cases(self, scenario: str) -> list[Case]:
        """Every fault at the first time that `scenario` passes each point."""
        points = self.recorded[scenario]
        first = sorted({point: number for number, point in reversed(list(enumerate(points)))}.values())
        return [Case(scenario, number, points[number], fault) for number in first for fault in Fault]

    def failures(self, cases: Iterable[Case]) -> list[str]:
        """What is wrong after which of the cases."""
        return [f"{case.point}, {case.fault}: {what}" for case in cases if (what := self._wrong(case))]

    def _wrong(self, case: Case) -> str:
        try:
            passed = self._play(case.scenario, case)
        except Exception as error:  # noqa: BLE001 - whatever the code raises is a finding
            return f"{type(error).__name__}: {error}"
        return "" if passed[case.at] == case.point else f"another point was reached: {passed[case.at]}"

    def _play(self, scenario: str, case: Case | None = None) -> list[str]:
        spoiled = {} if case is None else {"at": case.at, "fault": case.fault}
        with staged(self.shop, self.dsn, self.admin, **spoiled) as stage:
            SCENARIOS[scenario](stage)
            played = len(stage.wire.passed)
            stage.rest()
            at_rest(stage)
            return stage.wire.passed[:played] if case is None else stage.wire.passed
