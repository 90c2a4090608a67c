"""The pace of one process that has Stripe for itself: tools, tests, whatever has no database."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from dataclasses import dataclass
from math import inf
from typing import Final

from shared import clock
from shared.stripe_api.answers import StripeRefused
from shared.stripe_api.pace import ALL, FIRST_HOLD, JITTER, LONGEST_HOLD, Limits, Turn

UNLIMITED: Final = Limits(per_endpoint=1e9, overall=1e9, probe_seconds=0)


@dataclass(slots=True)
class _Endpoint:
    """One endpoint, or ALL of them; times are of the monotonic clock."""

    free_at: float = -inf
    level: int = 0
    held_until: float = -inf
    refusal: str | None = None
    probe_at: float = -inf


class Governor:
    """Keeps the pace in memory; a Pace."""

    def __init__(self, limits: Limits = UNLIMITED) -> None:
        self.limits = limits
        self._endpoints: defaultdict[str, _Endpoint] = defaultdict(_Endpoint)
        self._turns: list[float] = []
        self._lock = threading.Lock()

    def take(self, endpoint: str, *, write: bool) -> Turn:  # noqa: ARG002 - nobody asks a process for its count
        """Reserve the next turn; raises StripeRefused while such calls are paused."""
        with self._lock:
            now = clock.monotonic()
            both = (self._endpoints[ALL], self._endpoints[endpoint])
            for one in both:
                if one.refusal is not None and one.probe_at > now:
                    raise StripeRefused(one.refusal, ALL if one is both[0] else endpoint)
            slowed = any(one.level > 0 for one in both)
            probe = any(one.refusal is not None for one in both)
            for one in both:
                one.probe_at = now + self.limits.probe_seconds
            turn = self._reserve(
                self._endpoints[endpoint], now, credit=0 if slowed else self.limits.burst - 1
            )
        return Turn(endpoint, turn - now, slowed, probe)

    def slow(self, endpoint: str, at_least: float) -> None:
        """Nobody calls `endpoint` for a while; a neighbour's 429 during it does not make it longer."""
        with self._lock:
            one, now = self._endpoints[endpoint], clock.monotonic()
            hold = at_least
            if one.held_until <= now:
                jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
                hold = max(hold, min(LONGEST_HOLD, FIRST_HOLD * 2**one.level) * jitter)
                one.level += 1
            one.held_until = max(one.held_until, now + hold)

    def refuse(self, endpoint: str, reason: str) -> None:
        """Nobody calls `endpoint` but one probe in a while."""
        with self._lock:
            one = self._endpoints[endpoint]
            one.refusal, one.probe_at = reason, clock.monotonic() + self.limits.probe_seconds

    def accept(self, turn: Turn) -> None:
        """The call of a `slowed` or `probe` turn succeeded."""
        with self._lock:
            for one in (self._endpoints[ALL], self._endpoints[turn.endpoint]):
                one.level = max(0, one.level - 1) if turn.slowed else one.level
                one.refusal = None if turn.probe else one.refusal

    def _reserve(self, one: _Endpoint, now: float, *, credit: int) -> float:
        """Up to `burst` calls ahead of an even spacing (GCRA), in the first gap between all endpoints' turns."""
        gap, gap_of_all = 1 / self.limits.per_endpoint, 1 / self.limits.overall
        turn = max(now, one.free_at - credit * gap, one.held_until, self._endpoints[ALL].held_until)
        self._turns = sorted(taken for taken in self._turns if taken > now - gap_of_all)
        for taken in self._turns:
            if turn - gap_of_all < taken < turn + gap_of_all:
                turn = taken + gap_of_all
        self._turns.append(turn)
        one.free_at = max(one.free_at, turn) + gap
        return turn
