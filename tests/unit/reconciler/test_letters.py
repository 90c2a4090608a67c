from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from services.reconciler.letters import dead_letter_facts, heard_of, tells_again

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Letter:
    """A dead letter's outside."""

    message_id: str
    reason: str
    parked_at: datetime = AT


@pytest.mark.parametrize(
    ("heard", "dead", "again"),
    [
        (1, 1, False),
        (1, 2, True),
        (10, 19, False),
        (10, 20, True),
        (10, 5, False),
        (0, 1, False),
        ("?", 1, True),
    ],
)
def test_people_hear_again_of_twice_as_many(heard: object, dead: int, again: bool) -> None:
    """A slow growth is a few mails; facts that say nothing of what people heard are told."""
    assert tells_again({"heard": heard} if isinstance(heard, int) else {}, dead) is again


@pytest.mark.parametrize(
    ("heard", "before", "dead", "now"),
    [(1000, 1000, 3, 1000), (1000, 3, 3, 3), (1000, 3, 1000, 1000), (1000, 5, 3, 5), (3, 4, 5, 3)],
)
def test_what_people_heard_of_shrinks_once_two_looks_agree(
    heard: int, before: int, dead: int, now: int
) -> None:
    """A single look that finds fewer changes nothing, and more letters alone are nothing that people heard of."""
    assert heard_of({"heard": heard, "count": before}, dead) == now


def test_the_facts_name_the_newest_reason_and_messages() -> None:
    """People read the newest reason, the age of the oldest and a few ids; what they heard of is kept."""
    letters = [Letter(f"m{n}", f"reason {n}") for n in range(7)]
    facts = dead_letter_facts("sales", 300, letters, {"heard": 200})
    assert facts == {
        "queue": "sales",
        "count": 300,
        "heard": 200,
        "oldest": AT.isoformat(),
        "reason": "reason 6",
        "examples": [f"message m{n}" for n in (6, 5, 4, 3, 2)],
    }


def test_letters_that_somebody_else_holds_are_still_counted() -> None:
    """Where none can be read at the moment the count is told without a reason."""
    facts = dead_letter_facts("sales", 3, [], None)
    assert (facts["count"], facts["heard"], facts["reason"], facts["examples"]) == (3, 3, "", [])
