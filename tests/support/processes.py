"""Processes that a test started: none outlives the block it was started for."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import AnyStr

import psutil

STOP_SECONDS = 30.0


@contextmanager
def stopping(
    process: subprocess.Popen[AnyStr], seconds: float = STOP_SECONDS
) -> Generator[subprocess.Popen[AnyStr]]:
    """`process`, which is asked to stop at the end of the block.

    What does not within `seconds` is killed with all that it started; raises TimeoutExpired then.
    """
    try:
        yield process
    finally:
        stop(process, seconds)


def stop(process: subprocess.Popen[AnyStr], seconds: float = STOP_SECONDS) -> None:
    """Ask it to stop and wait for its end; raises TimeoutExpired where it had to be killed. Repeat at will."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        _kill(psutil.Process(process.pid))
        process.wait()
        raise


def gone(process: psutil.Process) -> bool:
    """Whether the process has ended, reaped or not."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def runs(process: psutil.Process, word: str) -> bool:
    """Whether `word` is of its command line; what has ended meanwhile has none."""
    try:
        return word in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def _kill(process: psutil.Process) -> None:
    for one in (*process.children(recursive=True), process):
        with suppress(psutil.NoSuchProcess):
            one.kill()
