from __future__ import annotations

import pytest

from tests.integration.stock_worker.faults.campaign import Campaign
from tests.integration.stock_worker.faults.points import all_points
from tests.integration.stock_worker.faults.scenarios import SCENARIOS


def test_no_point_of_the_driver_is_left_out(campaign: Campaign) -> None:
    """The scenarios together pass every place where the driver's source does I/O, and no other."""
    visited = {point for points in campaign.recorded.values() for point in points}
    assert visited == all_points()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_any_single_fault_ends_in_the_right_number(campaign: Campaign, scenario: str) -> None:
    """A crash, an error or a lost answer at any one point of I/O: Stripe, ledger and intention agree at rest."""
    cases = campaign.cases(scenario)
    assert cases
    print(f"{scenario}: {len(cases)} cases")
    assert campaign.failures(cases) == []
