"""The real Stripe command line tool, pointed at a simulator."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.missing import missing
from tests.support.waiting import until

BINARY: Final = Path(__file__).resolve().parents[2] / "var" / "tools" / "stripe"
PATIENCE: Final = 30.0  # seconds
_SECRET: Final = re.compile(r"Ready!.* webhook signing secret is (whsec_\w+)")


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
    def ready() -> bool:
        assert process.poll() is None, f"stripe listen has ended: {told.read_text()}"
        return _SECRET.search(told.read_text()) is not None

    until("stripe listen to be ready", ready, PATIENCE)
    return _SECRET.findall(told.read_text())[0]
