"""`stocksync up` as a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from shared.database.embedded import EmbeddedPostgres
from tests.support.postgres import home_folder
from tests.support.processes import gone, runs, stop

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "services.backoffice"]
OURS = (
    "STRIPE_",
    "SIMULATOR_",
    "INGEST_",
    "BACKOFFICE_",
    "DATABASE_URL",
    "AMQP_URL",
    "SMTP_URL",
    "MAIL_",
    "STOCKSYNC_",
)


def environment(home: Path, **settings: str) -> dict[str, str]:
    """This process's environment without our settings, but for `settings` and the folder."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    ports = {"INGEST_BIND": "127.0.0.1:0", "SIMULATOR_BIND": "127.0.0.1:0", "BACKOFFICE_BIND": "off"}
    return {**plain, **ports, "STOCKSYNC_HOME": str(home), **settings}


@dataclass
class Up:
    """A running `stocksync up` and what its `ready` line said."""

    process: subprocess.Popen[str]
    home: Path
    log: Path
    addresses: dict[str, str]

    @property
    def ready(self) -> bool:
        """Whether a webhook would be accepted now."""
        try:
            return requests.get(f"{self.addresses['webhooks'].rsplit('/', 2)[0]}/readyz", timeout=5).ok
        except requests.RequestException:
            return False

    def child(self, module: str) -> psutil.Process | None:
        """The running child that runs `module`, None where there is none."""
        return next((child for child in self.children() if runs(child, module)), None)

    def children(self) -> list[psutil.Process]:
        """The services that run."""
        return [child for child in psutil.Process(self.process.pid).children() if not gone(child)]

    def everything(self) -> list[psutil.Process]:
        """The supervisor, all below it, and the embedded database."""
        supervisor = psutil.Process(self.process.pid)
        pid_file = EmbeddedPostgres(self.home).folder / "data" / "postmaster.pid"
        postgres = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
        return [supervisor, *supervisor.children(recursive=True), postgres, *postgres.children()]


Start = Callable[..., Up]


def starting(logs: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []
    folders = ExitStack()
    folder = folders.enter_context(home_folder())

    def run(home: Path = folder / "var", **settings: str) -> Up:
        with (logs / "up.log").open("ab") as log:
            process = subprocess.Popen(
                [*COMMAND, "up"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env=environment(home, **settings),
            )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline().split()
        assert line[:1] == ["ready"], (logs / "up.log").read_text()[-4000:]
        return Up(process, home, logs / "up.log", dict(pair.split("=", 1) for pair in line[1:]))

    yield run
    folders.callback(_stop_all, started)
    folders.close()


def _stop_all(started: list[subprocess.Popen[str]]) -> None:
    for process in started:
        if process.poll() is None:
            stop(process, 60)
        if process.stdout is not None:
            process.stdout.close()
