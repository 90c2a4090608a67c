"""What the tests of the embedded server look at, and the processes that use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import psycopg

from shared.settings import child_environment

STARTER = Path(__file__).with_name("starter.py")


class Starter:
    """Another process that uses the server of `home`."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(STARTER), str(home)],
            env=child_environment(PYTHONPATH=str(Path.cwd())),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def address(self) -> str:
        """What it was given; waits for it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        """Let it end in order."""
        self.process.communicate(timeout=30)

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait()


def postmaster(folder: Path) -> psutil.Process | None:
    """The running server of `folder`."""
    try:
        pid = int((folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE and str(folder / "data") in process.cmdline()
    except (FileNotFoundError, IndexError, psutil.NoSuchProcess):
        return None
    return process if alive else None


def answers(address: str) -> bool:
    """Whether a connection succeeds."""
    try:
        psycopg.connect(address, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
