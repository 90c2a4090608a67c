"""What to do when a process has ended; decisions only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.settings import WRONG_SETTING

FIRST_DELAY: Final = 0.2
LONGEST_DELAY: Final = 15.0
STEADY_SECONDS: Final = 30.0
"""Who ran this long had no trouble starting: the next end counts as the first."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again after `delay` seconds; it is the `failures`-th end in a row."""

    delay: float
    failures: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No restart can help: stop everything and end with `exit_code`."""

    exit_code: int


def after_end(exit_code: int, ran_for: float, failures: int, *, proven: bool) -> Restart | GiveUp:
    """What follows the end of a process that ran `ran_for` seconds after `failures` ends in a row.

    `proven` says that all of it once ran: settings that were right then are so still.
    """
    if exit_code == WRONG_SETTING and not proven:
        return GiveUp(exit_code)
    failures = 1 if ran_for >= STEADY_SECONDS else failures + 1
    return Restart(min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 16)), failures)
