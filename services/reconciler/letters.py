"""What people are told of dead letters, and when once more; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from shared.alerts import Facts

EXAMPLES: Final = 5
GROWTH: Final = 2
"""People are told again when there are so many times as many as they heard of: a flood is a few mails."""


class Letter(Protocol):
    """The part of a dead letter that people are told."""

    @property
    def message_id(self) -> str:
        """Its id; what it holds stays in the queue."""
        ...

    @property
    def reason(self) -> str:
        """Why it could not be handled."""
        ...

    @property
    def parked_at(self) -> datetime:
        """When it was put aside."""
        ...


def tells_again(opened: Facts, dead: int) -> bool:
    """Whether `dead` letters are so many more than people heard of that they hear of it again."""
    heard = opened.get("heard")
    return not isinstance(heard, int) or dead >= GROWTH * max(1, heard)


def heard_of(opened: Facts, dead: int) -> int:
    """So many people heard of that are still there: no more than either of the last two looks found.

    A single look may have met somebody reading, who holds the letters for a moment.
    """
    heard, before = opened.get("heard"), opened.get("count")
    if not isinstance(heard, int):
        return dead
    return min(heard, max(before if isinstance(before, int) else heard, dead))


def dead_letter_facts(queue: str, dead: int, letters: Sequence[Letter], opened: Facts | None) -> Facts:
    """The facts of `dead` letters, `letters` the oldest first; `opened` where people hear nothing new."""
    newest = letters[-1] if letters else None
    return {
        "queue": queue,
        "count": dead,
        "heard": dead if opened is None else heard_of(opened, dead),
        "oldest": letters[0].parked_at.isoformat() if letters else "",
        "reason": newest.reason if newest else "",
        "examples": [f"message {letter.message_id}" for letter in reversed(letters[-EXAMPLES:])],
    }
