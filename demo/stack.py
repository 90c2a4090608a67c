"""The whole pipeline as a customer of `stocksync up` sees it: started, addressed, stopped."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.settings import child_environment

ELSEWHERE = (
    "STRIPE_API_KEY",
    "STRIPE_API_BASE",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_LIVEMODE",
    "DATABASE_URL",
    "AMQP_URL",
    "SMTP_URL",
)
ROOT = Path(__file__).parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 30.0


class NotStarted(Exception):
    """The pipeline did not become ready; the text says where its log is."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Addresses of a running pipeline, and the supervisor's process id.

    `simulator` is its own, or the one that it was told of as STRIPE_API_BASE.
    """

    pid: int
    simulator: str
    webhooks: str
    mails: Path


@contextmanager
def running(home: Path, **settings: str) -> Generator[Stack]:
    """`stocksync up` with everything under `home`, on free ports, its log in `<home>/up.log`.

    `settings` are given to it; otherwise it uses nothing but what it starts itself: a shop's `.env` is not in `home`.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    ports = {"INGEST_BIND": "127.0.0.1:0", "SIMULATOR_BIND": "127.0.0.1:0", "BACKOFFICE_BIND": "off"}
    own = {"STOCKSYNC_HOME": str(home), "SIMULATOR_ACCOUNT": "off", **ports}
    environment = child_environment(
        **{**dict.fromkeys(ELSEWHERE), **own, "PYTHONPATH": str(ROOT), **settings}
    )
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.backoffice", "up"],
            stdout=subprocess.PIPE,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=home,
            env=environment,
            text=True,
        )
        try:
            yield _addresses(process, home, settings.get("STRIPE_API_BASE", ""))
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask it to stop; where it does not in time its end ends the services, which watch it."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _addresses(process: subprocess.Popen[str], home: Path, told: str) -> Stack:
    """What the `ready` line says; raises NotStarted where none comes.

    A pipeline without a simulator of its own was `told` of one.
    """
    watchdog = threading.Timer(START_SECONDS, process.terminate)
    watchdog.start()
    try:
        for line in process.stdout or ():
            word, *pairs = line.split()
            if word == "ready":
                named = dict(pair.split("=", 1) for pair in pairs)
                simulator = named.get("simulator", told)
                return Stack(process.pid, simulator, named["webhooks"], home / "mail")
    finally:
        watchdog.cancel()
    said = (home / "up.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = said[-1] if said else "it said nothing"
    raise NotStarted(
        f"the pipeline did not start: {last}\nits log is {home / 'up.log'}; without {home} it starts anew"
    )
