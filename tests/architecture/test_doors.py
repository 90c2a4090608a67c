from __future__ import annotations

import re

import pytest

from tests.architecture.tree import ROOT, dotted_uses, python_files, tracked

DOORS = {
    "shared/settings.py": ("os.environ", "os.getenv", "os.putenv"),
    "shared/clock.py": (
        "time.time",
        "time.monotonic",
        "time.time_ns",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
    ),
    "": ("time.sleep",),  # a wait names what it waits for
}


@pytest.mark.parametrize(("door", "name"), [(door, name) for door, names in DOORS.items() for name in names])
def test_the_environment_and_the_clock_have_one_door(door: str, name: str) -> None:
    """Only one module reads the environment, only one reads the clock, and none sleeps without a reason."""
    users = [str(path) for path in python_files() if name in dotted_uses(path)]
    assert [user for user in users if user != door] == []


def test_no_address_of_a_package_index_and_no_path_of_a_machine_is_tracked() -> None:
    """Whoever installs this chooses their own index and folder: no tracked file names one."""
    private = re.compile(
        r"py[p]i\.org|pythonhos[t]ed|npm[j]s\.org|de[b]ian\.org|/(?:home|Users|root|work)/\w"
    )
    found = [
        f"{path}:{number}"
        for path in tracked()
        if path.suffix not in {".png", ".ico"}
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if private.search(line)
    ]
    assert found == []
