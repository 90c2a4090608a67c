"""What customers and a person at the Dashboard do while nobody keeps the numbers, hour by hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from bench.sync.ledger import nonzero
from bench.sync.shop import Shop
from shared.vocabulary import Variant

HOURS: Final = 48
HOUR: Final = 3600
EDITS: Final = 50
MOST_UNITS: Final = 30
SOLD_OF_FEW: Final = 12
LEFT: Final = (3, 2, 0, -2, -3)
"""What is left of the sizes of which there are few; less than 0 was sold though it was not there."""
FEW: Final = tuple(SOLD_OF_FEW + left for left in LEFT)
"""Of how many of them there are at the beginning."""
EVENTLESS: Final = 100
"""Of so many sales Stripe makes no event for one."""
GIVEN_UP: Final = 0.98
"""Of the webhooks that is not even tried; the rest is, until the simulator gives up."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A person adds `units` to what the Dashboard shows."""

    variant: Variant
    units: int


@dataclass(frozen=True, slots=True)
class Hour:
    """What is sold, of how many sales Stripe makes no event, and what a person edits."""

    sold: Counter[Variant]
    eventless: int
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Absence:
    """All hours, the first one first, and what is left of the sizes of which there were `few`."""

    hours: tuple[Hour, ...]
    few: dict[Variant, int]

    @property
    def sold(self) -> Counter[Variant]:
        """Units that customers buy, by size."""
        return sum((hour.sold for hour in self.hours), Counter[Variant]())

    @property
    def eventless(self) -> int:
        """Sales without an event."""
        return sum(hour.eventless for hour in self.hours)

    @property
    def edited(self) -> dict[Variant, int]:
        """Units that the person adds in all, by size; sizes without any effect are left out."""
        total: Counter[Variant] = Counter()
        for edit in (edit for hour in self.hours for edit in hour.edits):
            total[edit.variant] += edit.units
        return nonzero(total)


def plan(few: Sequence[Variant], plenty: Sequence[Variant], sales: int, random: Random) -> Absence:
    """So many sales, the same number in every hour; nobody edits a size of which there are few."""
    bought = [variant for variant in few for _ in range(SOLD_OF_FEW)]
    bought += random.choices(plenty, k=sales - len(bought))
    random.shuffle(bought)
    edits = [_edit(random.choice(plenty), random) for _ in range(EDITS)]
    sold, lost, edited = _edges(sales), _edges(sales // EVENTLESS), _edges(len(edits))
    hours = (
        Hour(
            Counter(bought[sold[n] : sold[n + 1]]),
            lost[n + 1] - lost[n],
            tuple(edits[edited[n] : edited[n + 1]]),
        )
        for n in range(HOURS)
    )
    return Absence(tuple(hours), dict(zip(few, LEFT, strict=False)))


def _edges(total: int) -> list[int]:
    """Where each hour begins among `total` things, and where the last one ends."""
    return [total * n // HOURS for n in range(HOURS + 1)]


def _edit(variant: Variant, random: Random) -> Edit:
    return Edit(variant, random.choice((-1, 1)) * random.randint(1, MOST_UNITS))


def play(shop: Shop, absence: Absence) -> None:
    """Have all of it happen, each hour an hour after the one before."""
    _fault(shop, kind="webhook_drop", count=None, probability=GIVEN_UP)
    for hour in absence.hours:
        if hour.eventless:
            _fault(shop, kind="event_lost", count=hour.eventless)
        for variant, count in hour.sold.items():
            shop.sell(variant, count)
        for edit in hour.edits:
            shop.edit(edit.variant, edit.units)
        shop.control("/_checkout/age", {"seconds": HOUR})


def _fault(shop: Shop, **rule: str | float | None) -> None:
    shop.control("/_faults", {"type": "checkout", **rule})
