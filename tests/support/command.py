"""The `stocksync` command: a process for each call, forked from one that has read our code, which takes a second."""

from __future__ import annotations

import functools
import json
import re
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
    """Run it to its end, without a terminal or anything to read, and with no settings but these (and COLUMNS)."""
    with tempfile.TemporaryDirectory(prefix="stocksync-command-") as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        order = {
            "arguments": arguments,
            "environment": child_environment(**{**UNSET, **settings}),
            "output": str(output),
            "errors": str(errors),
        }
        with _ONE_AT_A_TIME:
            code = _run(json.dumps(order))
        return Ended(code, output.read_bytes(), errors.read_bytes())


def _run(order: str) -> int:
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(order + "\n")
    server.stdin.flush()
    return int(server.stdout.readline())


@functools.cache
def _server() -> subprocess.Popen[str]:
    """The process that is forked; it ends when this one has."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.command_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
