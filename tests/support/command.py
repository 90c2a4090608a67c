"""The `stocksync` command: a process for each call, forked from one that has read our code, which takes a second."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from shared.settings import child_environment

ROOT: Final = Path(__file__).parents[2]
_SETTING: Final = re.compile(r"^#? ?([A-Z][A-Z0-9_]+)=", re.MULTILINE)
UNSET: Final[dict[str, str | None]] = dict.fromkeys(_SETTING.findall((ROOT / ".env.example").read_text()))
"""Every setting there is, for taking those of whoever runs the tests out of an environment."""
PATIENCE: Final = 120.0  # seconds
_ONE_AT_A_TIME: Final = Lock()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it wrote, byte by byte."""

    returncode: int
    output: bytes
    errors: bytes

    @property
    def stdout(self) -> str:
        """The output as text."""
        return self.output.decode()

    @property
    def stderr(self) -> str:
        """What was said beside it, as text."""
        return self.errors.decode()


Command = Callable[..., Ended]


def stocksync(*arguments: str, **settings: str | None) -> Ended:
    """Run it to its end in an empty folder, without a terminal or anything to read, and with no settings but these.

    COLUMNS may be given, too. One that takes longer than PATIENCE is killed; raises TimeoutError then.
    """
    with tempfile.TemporaryDirectory(prefix="stocksync-command-") as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        order = {
            "arguments": arguments,
            "environment": child_environment(**{**UNSET, **settings}),
            "output": str(output),
            "errors": str(errors),
            "folder": str(Path(folder, "here")),
        }
        Path(folder, "here").mkdir()
        with _ONE_AT_A_TIME:
            code = _run(json.dumps(order))
        return Ended(code, output.read_bytes(), errors.read_bytes())


def _run(order: str) -> int:
    """The exit code; whatever interrupts the wait for it ends the command and its server, too."""
    server = _server()
    try:
        return server.run(order)
    except BaseException:
        server.kill()
        _server.cache_clear()
        raise


@dataclass(frozen=True, slots=True)
class _Server:
    """The process that is forked; it ends when this one has, and leads a group of its own with its children."""

    process: subprocess.Popen[str]

    def run(self, order: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise TimeoutError(f"the command did not end within {PATIENCE:g} s")
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError("the process that starts commands has ended; what it said is above")
        return int(said)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@functools.cache
def _server() -> _Server:
    return _Server(
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.command_server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    )
