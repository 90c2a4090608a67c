"""Sales that were all paid before the first webhook came: of one product, or of many."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Final

from bench.sync.finding import Finding, calls, equal, limits
from bench.sync.requests_log import WRITE_PRODUCT
from bench.sync.shop import Shop
from bench.sync.waiting import wait_for
from shared import clock
from shared.vocabulary import Variant

HOT_WRITES: Final = 10
FULL_RUSH: Final = 1000
"""Fewer sales than that are told but not judged: a few writes are no feat then."""
FULL_DRAIN: Final = 10_000
DRAIN_SECONDS: Final = 90.0
SALES_A_SECOND: Final = 10  # slower than that is not waited for


@dataclass(frozen=True, slots=True)
class Rush:
    """How many sales, and the seconds from the first webhook to the last number; None if that never came."""

    sales: int
    seconds: float | None

    def finding(self, target: float | None = None) -> Finding:
        """The time, held against `target` seconds if there is one."""
        figure = "not within the time given" if self.seconds is None else f"{self.seconds:.1f} s"
        met = None if target is None else self.seconds is not None and self.seconds <= target
        return Finding(f"{self.sales} sales in Stripe", figure, f"≤ {target:g} s" if target else "", met)


def play(shop: Shop, wanted: Counter[Variant]) -> Rush:
    """Have everything sold while webhooks are held, then let them go and wait for the numbers."""
    shop.hold(held=True)
    for variant, count in wanted.items():
        shop.sell(variant, count)
    intended = shop.intended()
    waiting = list(wanted)

    def shown() -> bool:
        while waiting and shop.number(waiting[-1]) == intended[waiting[-1]]:
            waiting.pop()
        return not waiting

    began = clock.monotonic()
    shop.hold(held=False)
    reached = wait_for(60 + wanted.total() / SALES_A_SECOND, shown, look=0.1)
    seconds = clock.monotonic() - began
    shop.rest(60)
    return Rush(wanted.total(), seconds if reached else None)


def hot(shop: Shop, sales: int) -> list[Finding]:
    """All customers buy the same size of the same product."""
    rush = play(shop, Counter({shop.variants[0]: sales}))
    end = shop.outcome()
    writes = end.log.count(WRITE_PRODUCT)
    return [
        rush.finding(),
        Finding("writes of the product", str(writes), *_few(writes, sales)),
        calls(end.log),
        *limits(end.log),
        equal(end),
    ]


def _few(writes: int, sales: int) -> tuple[str, bool | None]:
    """What is promised of the writes, and whether it was kept."""
    return (f"≤ {HOT_WRITES}", writes <= HOT_WRITES) if sales >= FULL_RUSH else ("", None)


def drain(shop: Shop, sales: int, random: Random) -> list[Finding]:
    """Customers buy all over the shop."""
    bought = Counter(random.choices(shop.variants, k=sales))
    rush = play(shop, bought)
    end = shop.outcome()
    return [
        rush.finding(DRAIN_SECONDS if sales >= FULL_DRAIN else None),
        calls(end.log),
        *limits(end.log),
        equal(end),
    ]
