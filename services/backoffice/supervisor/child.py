"""One process under supervision: start, look, restart, stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from services.backoffice.supervisor import restarts
from services.backoffice.supervisor.plan import ChildSpec
from shared import clock, logs
from shared.settings import child_environment

LEAVES_WITHIN: Final = 3.0
"""Seconds that what was killed has to be gone; whoever waits for its locks goes on then."""
log = logs.get(__name__)


@dataclass(slots=True)
class Child:
    """A process that runs, or waits to be started again; `lifeline` is the pipe it watches us by."""

    spec: ChildSpec
    lifeline: int
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    due_at: float = field(default_factory=clock.monotonic)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def tend(self, *, proven: bool = False) -> restarts.GiveUp | None:
        """Start what is due, notice what ended; GiveUp where no restart can help."""
        if self.process is None:
            if clock.monotonic() >= self.due_at:
                self._start()
            return None
        code = self.process.poll()
        return None if code is None else self._ended(code, proven=proven)

    def terminate(self) -> None:
        """Ask it to finish what is in hand and stop."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """End it, and what it started, and return once all of them have let go of what they held."""
        if self.process is not None:
            self._kill_group(self.process)
            self.process.wait()
            deadline = clock.monotonic() + LEAVES_WITHIN
            while self._has_group(self.process) and clock.monotonic() < deadline:
                Event().wait(0.02)

    def _start(self) -> None:
        told = {**self.spec.environment, "STOCKSYNC_LIFELINE": str(self.lifeline)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.spec.module],
            stdin=subprocess.DEVNULL,
            env=child_environment(**told),
            pass_fds=(self.lifeline,),
            start_new_session=True,  # Ctrl-C is the supervisor's to hear, which then asks politely
        )
        self.started_at = clock.monotonic()
        log.info("child_started", child=self.spec.name, pid=self.process.pid)

    def _ended(self, code: int, *, proven: bool) -> restarts.GiveUp | None:
        if self.process is not None:
            self._kill_group(self.process)  # what it left behind would hold its port
        self.process = None
        now = clock.monotonic()
        match restarts.after_end(code, now - self.started_at, self.failures, proven=proven):
            case restarts.GiveUp() as decision:
                log.error("child_gave_up", child=self.spec.name, exit_code=code)
                return decision
            case restarts.Restart(delay, failures):
                self.failures, self.due_at = failures, now + delay
                log.warning("child_ended", child=self.spec.name, exit_code=code, restart_in=delay)
                return None

    @staticmethod
    def _has_group(process: subprocess.Popen[bytes]) -> bool:
        """Whether anybody is left of what it started; killed ones hold their locks a moment longer."""
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # somebody is there, though not ours to signal
        return True

    @staticmethod
    def _kill_group(process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError, PermissionError):  # nobody left of it
            os.killpg(process.pid, signal.SIGKILL)
