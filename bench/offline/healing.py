"""Watching how it heals: until every number is right, and then until all is at rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bench.offline.books import Keeper
from bench.sync.shop import Numbers, Shop
from bench.sync.waiting import wait_for
from shared import clock

LOOK: Final = 2.0
SAY: Final = 30.0
"""Seconds between two words about how far it is."""
SERVICES: Final = "services."
REST_WITHIN: Final = 900.0
"""Seconds from the last right number until nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Healed:
    """Seconds from the start of the pipeline until every number was right, and until all was at rest; None: never."""

    numbers: float | None
    rest: float | None


@dataclass(slots=True)
class Watch:
    """One look after the other at how far it is; `began` and `said` in monotonic seconds."""

    shop: Shop
    keeper: Keeper
    intended: Numbers
    began: float
    said: float = 0.0

    def until_healed(self, seconds: float) -> Healed:
        """Wait until it has healed, for `seconds` at most."""
        numbers = self.seconds if wait_for(seconds, self._right, LOOK) else None
        rests = wait_for(REST_WITHIN, self._rests, LOOK) and self.shop.rest(60)
        return Healed(numbers, self.seconds if rests else None)

    @property
    def seconds(self) -> float:
        """Since the pipeline was started."""
        return clock.monotonic() - self.began

    def _right(self) -> bool:
        shown = self.shop.shown()
        right = sum(shown.get(variant) == units for variant, units in self.intended.items())
        self._say(f"{right:,} of {len(self.intended):,} sizes right")
        return right == len(self.intended)

    def _rests(self) -> bool:
        self._say("the numbers are right")
        return self.keeper.rests()

    def _say(self, how_far: str) -> None:
        if clock.monotonic() - self.said >= SAY:
            self.said = clock.monotonic()
            print(f"{self.seconds:5.0f} s: {self.keeper.booked():,} sales booked, {how_far}", flush=True)


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the pipeline: its main process, and the most memory that any process of it has had, in MB."""

    pid: int
    peak: float


def services(supervisor: int) -> dict[str, Service]:
    """How the services of the pipeline stand, by name; those that a service started count as it."""
    found: dict[str, Service] = {}
    for process in psutil.Process(supervisor).children():
        *_, module = process.cmdline()
        if module.startswith(SERVICES):
            family = [process, *process.children(recursive=True)]
            peak = max(_peak(one.pid) for one in family)
            found[module.removeprefix(SERVICES)] = Service(process.pid, peak)
    return found


def _peak(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it ended just now
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields.get("VmHWM", "0 kB").split()[0]) / 1024
