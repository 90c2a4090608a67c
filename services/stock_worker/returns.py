"""Which units a refund may have brought back: Stripe names an amount and never lines, so this is only a proposal."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from shared.vocabulary import LineItemId, ProductId, Size

MOST_COMBINATIONS: Final = 50_000
"""Ways to add up lines that are tried; a session with more has no likely one."""


class Policy(StrEnum):
    """What a refund leads to."""

    PROPOSE = "propose"  # a person says what came back
    AUTO_FULL = "auto-full"  # the same, but a full refund puts everything back at once
    OFF = "off"


class RefundKind(StrEnum):
    """How much of what was paid went back."""

    FULL = "full"
    PARTIAL = "partial"


class Likeness(StrEnum):
    """How sure the proposed units are."""

    ALL = "all"  # everything was paid back
    EXACT = "exact"  # only these units cost as much
    LIKELY = "likely"  # these and others cost as much; these are the fewest
    UNKNOWN = "unknown"  # no units cost as much: a shipping fee, a goodwill, a discount


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line that was booked: `left` of its `units` have not come back yet; `amount` was paid for all of them."""

    line: LineItemId
    product: ProductId
    size: Size
    units: int
    left: int
    amount: int | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Units of each line, in the lines' order, that a person is asked about."""

    kind: RefundKind
    likeness: Likeness
    units: tuple[int, ...]


def propose(lines: Sequence[SoldLine], *, amount: int, refunded: int, paid: int) -> Proposal:
    """What a refund of `amount` may be about.

    `refunded` is what went back of the session in all, this refund included, `paid` what the session cost; amounts
    are in the currency's smallest unit. Never proposes more than what is left of a line.
    """
    if refunded >= paid:
        return Proposal(RefundKind.FULL, Likeness.ALL, tuple(line.left for line in lines))
    found = _adding_up(lines, amount)
    if not found:
        return Proposal(RefundKind.PARTIAL, Likeness.UNKNOWN, (0,) * len(lines))
    likeness = Likeness.EXACT if len(found) == 1 else Likeness.LIKELY
    return Proposal(RefundKind.PARTIAL, likeness, min(found, key=_effort))


def _adding_up(lines: Sequence[SoldLine], amount: int) -> list[tuple[int, ...]]:
    """All ways to take units of `lines` that cost `amount` together; none where there are too many to try."""
    if math.prod(line.left + 1 for line in lines) > MOST_COMBINATIONS:
        return []
    return [units for units in _choices(lines) if any(units) and abs(_cost(lines, units) - amount) < 1]


def _choices(lines: Sequence[SoldLine]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*(range(line.left + 1 if line.amount else 1) for line in lines))


def _cost(lines: Sequence[SoldLine], units: Sequence[int]) -> Fraction:
    """What `units` cost exactly; shops round the share of a line whose amount can't be divided evenly up or down."""
    shares = (
        Fraction(line.amount * taken, line.units)
        for line, taken in zip(lines, units, strict=True)
        if taken and line.amount
    )
    return sum(shares, Fraction())


def _effort(units: Sequence[int]) -> tuple[int, int]:
    """Fewer lines are likelier, then fewer units."""
    return sum(1 for taken in units if taken), sum(units)
