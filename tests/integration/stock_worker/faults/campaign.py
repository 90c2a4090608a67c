"""The campaign: each scenario is recorded once, then played again with one fault at one of its I/O points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from shared.database.pool import Connection
from tests.integration.stock_worker.faults.checks import at_rest
from tests.integration.stock_worker.faults.scenarios import SCENARIOS
from tests.integration.stock_worker.faults.stage import staged
from tests.integration.stock_worker.faults.wires import Fault
from tests.integration.stock_worker.shop import Shop

ROUTE: Final = 2
"""Points before a point that tell one visit of it from another."""

EFFECTS: Final = ("commit", "run", "POST")
"""Steps that change something. A fault at any other one leaves what a fault after the last of these leaves."""


@dataclass(frozen=True, slots=True)
class Case:
    """One fault at the I/O point number `at` of a scenario, whose name is `point`."""

    scenario: str
    at: int
    point: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Recording:
    """The points that a scenario passes without a fault, in order; its own matter begins at number `turn`."""

    points: list[str]
    turn: int


@dataclass(slots=True)
class Campaign:
    """Plays on one server and one simulator."""

    shop: Shop
    dsn: str
    admin: Connection
    recorded: dict[str, Recording] = field(default_factory=dict[str, Recording])

    def record(self) -> None:
        """Play every scenario without a fault; raises Unrest where one does not even hold so."""
        for name in SCENARIOS:
            self.recorded[name] = self.play(name)

    def cases(self) -> list[Case]:
        """Every fault at every point, each by every route to it; and at each scenario's own effects."""
        routes: set[tuple[str, ...]] = set()
        return [
            Case(name, number, recording.points[number], fault)
            for name, recording in self.recorded.items()
            for number in sorted({*_by_routes(recording, routes), *_effects(recording)})
            for fault in Fault
        ]

    def failures(self, cases: Iterable[Case]) -> list[str]:
        """What is wrong after which of the cases."""
        return [f"{case.point}, {case.fault}: {what}" for case in cases if (what := self._wrong(case))]

    def play(self, scenario: str, case: Case | None = None) -> Recording:
        """Play `scenario`, with the fault of `case`; raises Unrest where something does not hold at rest."""
        at, fault = (None, None) if case is None else (case.at, case.fault)
        with staged(self.shop, self.dsn, self.admin, at=at, fault=fault) as stage:
            SCENARIOS[scenario](stage)
            recording = Recording(list(stage.wire.passed), stage.turn)
            stage.rest()
            at_rest(stage)
        return recording

    def _wrong(self, case: Case) -> str:
        try:
            passed = self.play(case.scenario, case).points
        except Exception as error:  # noqa: BLE001 - whatever the code raises is a finding
            return f"{type(error).__name__}: {error}"
        return "" if passed[case.at] == case.point else f"another point was reached: {passed[case.at]}"


def _by_routes(recording: Recording, routes: set[tuple[str, ...]]) -> Iterator[int]:
    """Numbers of the points that are reached by a route not yet among `routes`, which learns it."""
    for number in range(len(recording.points)):
        route = tuple(recording.points[max(0, number - ROUTE) : number + 1])
        if route not in routes:
            routes.add(route)
            yield number


def _effects(recording: Recording) -> Iterator[int]:
    """Numbers of the points after the turn that change something, each name once."""
    seen: set[str] = set()
    for number in range(recording.turn, len(recording.points)):
        point = recording.points[number]
        if point.endswith(EFFECTS) and point not in seen:
            seen.add(point)
            yield number
