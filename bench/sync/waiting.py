"""Waiting for a condition, with a deadline."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Final

from shared import clock

_NEVER: Final = Event()


def wait_for(seconds: float, reached: Callable[[], bool], look: float = 0.2) -> bool:
    """Whether `reached` came true within `seconds`; looks every `look` seconds."""
    deadline = clock.monotonic() + seconds
    while not reached():
        if clock.monotonic() > deadline:
            return False
        _NEVER.wait(look)
    return True


def wait_until(moment: float) -> None:
    """Return at `moment` (monotonic seconds)."""
    _NEVER.wait(max(0.0, moment - clock.monotonic()))
