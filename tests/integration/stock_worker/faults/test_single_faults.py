from __future__ import annotations

import pytest

from shared.store.writes import Writes
from shared.writes import Write, WriteState
from tests.integration.stock_worker.faults.campaign import Campaign
from tests.integration.stock_worker.faults.points import all_points
from tests.integration.stock_worker.faults.scenarios import SCENARIOS
from tests.integration.stock_worker.faults.wires import Fault


def test_no_point_of_the_driver_is_left_out(campaign: Campaign) -> None:
    """The scenarios together pass every place where the driver's source does I/O, and each fault meets each."""
    assert {point for recording in campaign.recorded.values() for point in recording.points} == all_points()
    played = {(case.point, case.fault) for case in campaign.cases()}
    assert played == {(point, fault) for point in all_points() for fault in Fault}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_any_single_fault_ends_in_the_right_number(campaign: Campaign, scenario: str) -> None:
    """A crash, an error or a lost answer at any one point of I/O: Stripe, ledger and intention agree at rest."""
    cases = [case for case in campaign.cases() if case.scenario == scenario]
    assert cases
    assert campaign.failures(cases) == []


def test_without_a_committed_row_before_the_write_a_crash_ends_wrong(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a row that is kept after the write was sent serves until the worker dies between."""
    insert, leave = Writes.insert, Writes.leave_pending
    planned: dict[str, Write] = {}

    def plan(_writes: Writes, write: Write) -> None:
        planned[write.key] = write

    def leave_late(writes: Writes, write: Write, state: WriteState, answer: str) -> bool:
        if write.key in planned:
            insert(writes, planned.pop(write.key))
        return leave(writes, write, state, answer)

    monkeypatch.setattr(Writes, "insert", plan)
    monkeypatch.setattr(Writes, "leave_pending", leave_late)
    campaign.play("second_sale")
    at_writes = [c for c in campaign.cases() if c.scenario == "second_sale" and c.point.endswith("POST")]
    assert any(f"{Fault.CRASH_AFTER}" in failure for failure in campaign.failures(at_writes))
