from __future__ import annotations

import pytest

from shared.stripe_api.departures import Departures
from shared.stripe_api.governor import UNLIMITED
from shared.stripe_api.pace import Limits

LIMITS = Limits(per_endpoint=20, overall=80, burst=4)


def test_what_was_held_up_does_not_leave_together() -> None:
    """Of many calls that wake at once as many leave as a second may have, the rest a second later, and so on."""
    departures = Departures(LIMITS)
    waits = [departures.wait("GET products") for _ in range(60)]
    assert waits[:24] == [0.0] * 24
    assert waits[24:48] == pytest.approx([1.0] * 24, abs=0.2)
    assert waits[48:] == pytest.approx([2.0] * 12, abs=0.2)


def test_endpoints_do_not_wait_for_each_other() -> None:
    """Each has a second of its own."""
    departures = Departures(LIMITS)
    assert max(departures.wait("GET products") for _ in range(24)) == 0
    assert departures.wait("POST products") == 0


def test_without_limits_nobody_waits() -> None:
    """Tools that have Stripe for themselves are not held up."""
    departures = Departures(UNLIMITED)
    assert max(departures.wait("GET products") for _ in range(5000)) == 0
