from __future__ import annotations

import pytest

from tests.simulation.campaign import campaign, shortest
from tests.simulation.crew import Switches

SCHEDULES = 20_000
FOUND = (
    9,
    17,
    48,
    553,
    1440,
    1717,
    2958,
    3776,
    5499,
    6472,
    8219,
    102_626,
    106_697,
    110_704,
    1_019_979,
    6_333_285,
    6_746_192,
    7_309_269,
    8_077_346,
    9_085_877,
    9_087_792,
    9_208_653,
    9_209_178,
    9_216_645,
    11_132_410,
    12_102_053,
    13_214_809,
)
"""Seeds that showed a defect once, in worlds without slang; what is behind a seed changes whenever the world does."""


@pytest.mark.timeout(1800)
def test_no_schedule_ends_wrong() -> None:
    """Two workers, people, and a network that loses and delays: every sale and every edit is in the number."""
    assert campaign(range(SCHEDULES)) == {}


def test_no_schedule_that_ever_ended_wrong_does_again() -> None:
    """Each showed a defect that is mended."""
    assert campaign(FOUND, slang=0) == {}


def test_a_failing_seed_prints_the_shortest_trace_that_fails() -> None:
    """Somebody who has to find the cause reads no more than is needed."""
    trace = shortest(0, Switches(unique_keys=False))
    assert "S1: " in trace
    assert "sold cs_" in trace
    assert trace.endswith("steps)")
    assert shortest(0) == ""
