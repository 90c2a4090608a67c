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

EFFECTS: Final = ("commit", "run", "POST")
"""Steps that change something. A fault at any other one leaves what a fault after the last of these leaves."""

BOTH_WAYS: Final = (Fault.CRASH_AFTER, Fault.ERROR)
"""Done and not done: enough for a commit in one more scenario, once all faults met it in another."""


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
        """Every fault at every point, wherever it is passed first; then each scenario's own effects."""
        met: set[str] = set()
        return [
            Case(name, number, recording.points[number], fault)
            for name, recording in self.recorded.items()
            for number, faults in _chosen(recording, met)
            for fault in faults
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


def _chosen(recording: Recording, met: set[str]) -> Iterator[tuple[int, Iterable[Fault]]]:
    """Numbers of the points to spoil, and how; `met` learns the points that all faults have met."""
    own: set[str] = set()
    for number, point in enumerate(recording.points):
        effect = number >= recording.turn and point.endswith(EFFECTS) and point not in own
        if effect:
            own.add(point)
        if point not in met or (effect and point.endswith("POST")):
            met.add(point)
            yield number, Fault
        elif effect:
            yield number, BOTH_WAYS
