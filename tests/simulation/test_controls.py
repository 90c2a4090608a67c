from __future__ import annotations

import re

import pytest

from tests.simulation.campaign import play
from tests.simulation.controls import CONTROLS
from tests.simulation.crew import Switches

MOST = 10_000


@pytest.mark.parametrize("part", CONTROLS)
def test_without_any_one_part_an_invariant_fails(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of the protocol is needed: taken out, some schedule ends wrong, and this suite would say so."""
    take_out, switches = CONTROLS[part]
    take_out(monkeypatch)
    found = next(((seed, what) for seed in range(MOST) if (what := play(seed, switches=switches))), None)
    assert found is not None
    assert re.match(r"[SQ]\d+: |liveness: ", found[1]), "it broke, which shows nothing"
    print(f"without {part}: seed {found[0]}: {found[1]}")


def test_with_all_parts_the_same_schedules_hold() -> None:
    """The controls fail for what they take out, not for how they are run."""
    assert [seed for seed in range(200) if play(seed, switches=Switches())] == []
