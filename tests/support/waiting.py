"""Waiting for a condition, with a deadline: a test says what it waits for, and fails with those words."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from shared import clock

_NEVER = Event()


def until(what: str, reached: Callable[[], bool], seconds: float = 30.0, look: float = 0.05) -> None:
    """Return once `reached`, asked every `look` seconds; fail after `seconds`."""
    deadline = clock.monotonic() + seconds
    while not reached():
        assert clock.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        _NEVER.wait(look)
