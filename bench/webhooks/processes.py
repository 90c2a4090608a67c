"""Servers as child processes on free ports: started, waited for, stopped with all that they started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Final

import psutil

from shared import clock

START_WITHIN: Final = 30.0  # seconds
STOP_WITHIN: Final = 15.0  # seconds
BIN: Final = Path(sys.executable).parent
_LOOK: Final = Event()  # never set: a wait between two looks


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], port: int, log: Path) -> Generator[int]:
    """The process id of `command`, once it listens on `port`; stopped at the end. RuntimeError has its output."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait(process, port, log)
        yield process.pid
    finally:
        _stop(process)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and those it started, as far as they still run."""
    main = psutil.Process(pid)
    times = [process.cpu_times() for process in (main, *main.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = clock.monotonic() + START_WITHIN
    while process.poll() is None and clock.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        _LOOK.wait(0.1)
    raise RuntimeError(f"{log.stem} did not start:\n{log.read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # a group of its own, see start_new_session
        process.wait()
