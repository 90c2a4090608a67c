from __future__ import annotations

import subprocess
import sys

import pytest

INTERRUPTED = """
import os, signal
from shared.process import stop_event
stop = stop_event()
with stop._cond:  # where the main thread is for a moment in each wait
    os.kill(os.getpid(), signal.{name})
    print("went on", flush=True)
assert stop.wait(10)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_amid_a_wait_for_the_stop_does_not_hang_the_process(name: str) -> None:
    """The handler takes no lock that the interrupted thread may hold, and the stop is heard all the same."""
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(name=name)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "went on\n"), ended.stderr
