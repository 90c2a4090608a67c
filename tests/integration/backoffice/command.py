"""Running `stocksync` on a test's database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from shared.settings import child_environment

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def stocksync(database_url: str, group: str) -> Command:
    """Runs `stocksync <group> …` on that database, with the simulator's account and the embedded queue."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services.backoffice", group, *arguments],
            env=child_environment(
                DATABASE_URL=database_url, AMQP_URL=None, STRIPE_API_KEY=None, COLUMNS="200"
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run
