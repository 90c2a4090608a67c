"""The real Stripe command line tool, pointed at a simulator."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared import clock
from tests.support.missing import missing

BINARY: Final = Path(__file__).resolve().parents[2] / "var" / "tools" / "stripe"
PATIENCE: Final = 30.0  # seconds
_SECRET: Final = re.compile(r"Ready!.* webhook signing secret is (whsec_\w+)")
_LOOK = threading.Event()  # never set: a wait with a deadline between two looks


@dataclass(frozen=True, slots=True)
class StripeCli:
    """The tool with a home of its own: no login, no settings of the person who runs the tests."""

    url: str
    home: Path

    def run(self, *arguments: str) -> str:
        """What the command printed; it must have succeeded."""
        done = subprocess.run(
            self._command(arguments),
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"stripe {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def listening(self, forward_to: str, *arguments: str) -> Generator[str]:
        """`stripe listen` while it forwards events to an address; yields the secret it printed."""
        told = self.home / "listen.txt"
        command = self._command(("listen", "--skip-update", "--forward-to", forward_to, *arguments))
        with told.open("wb") as output:
            process = subprocess.Popen(
                command,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield _secret(process, told)
        finally:
            process.kill()
            process.wait()

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [str(BINARY), *arguments, "--api-base", self.url, "--api-key", "sk_test_contract0000000000"]

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home),
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
        }


def stripe_cli(url: str, home: Path) -> StripeCli:
    """The installed tool, talking to the API at `url`."""
    if not BINARY.exists():
        missing("The Stripe CLI", "`make test-servers` installs it from npm into var/tools.")
    return StripeCli(url, home)


def _secret(process: subprocess.Popen[bytes], told: Path) -> str:
    deadline = clock.monotonic() + PATIENCE
    while not (found := _SECRET.search(told.read_text())):
        if process.poll() is not None or clock.monotonic() > deadline:
            raise RuntimeError(f"stripe listen is not ready: {told.read_text()}")
        _LOOK.wait(0.05)
    return found[1]
