"""All children of one machine: tended together, stopped together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from services.backoffice.supervisor import restarts
from services.backoffice.supervisor.child import Child
from services.backoffice.supervisor.plan import ChildSpec
from services.backoffice.supervisor.signals import Signals
from shared import clock, logs

LOOK_EVERY: Final = 0.1
STOP_SECONDS: Final = 25.0
log = logs.get(__name__)


@dataclass(slots=True)
class Fleet:
    """The children in the order they were added, and the pipe by which they notice our death."""

    signals: Signals
    children: list[Child] = field(default_factory=list[Child])
    lifeline: tuple[int, int] = field(default_factory=os.pipe)
    proven: bool = False
    """Whether all of them once ran together: from then on whoever ends is started again, whatever it says."""

    def add(self, specs: Iterable[ChildSpec]) -> None:
        """Supervise these too; they start with the next look."""
        self.children += [Child(spec, self.lifeline[0]) for spec in specs]

    def tend(self) -> restarts.GiveUp | None:
        """One look at every child; GiveUp where one of them can never run."""
        for child in self.children:
            if (decision := child.tend(proven=self.proven)) is not None:
                return decision
        return None

    def tend_until(self, done: Callable[[], bool]) -> restarts.GiveUp | None:
        """Look after all until `done`, a stop is asked for, or one gives up."""
        while not (self.signals.stop or done()):
            if (decision := self.tend()) is not None:
                return decision
            self.signals.wait(LOOK_EVERY)
        return None

    def stop(self) -> None:
        """Ask all to finish what is in hand; who takes too long, or all if we are to hurry, are killed."""
        for child in self.children:
            child.terminate()
        deadline = clock.monotonic() + STOP_SECONDS
        while running := [child.spec.name for child in self.children if child.running]:
            if self.signals.hurry or clock.monotonic() > deadline:
                log.warning("children_killed", children=running)
                break
            self.signals.wait(LOOK_EVERY)
        for child in self.children:
            child.kill()
        self.children.clear()
