"""Customers and a person at the Dashboard at the same time: every sale and every edit must count once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from bench.sync.finding import Finding, calls, equal, limits, sales, same
from bench.sync.ledger import EDITS, Ledger, nonzero
from bench.sync.rush import SALES_A_SECOND
from bench.sync.shop import Form, Outcome, Shop
from bench.sync.waiting import wait_for, wait_until
from shared import clock
from shared.vocabulary import Variant

MOST_UNITS: Final = 30
OLD_FORMS: Final = 0.2  # of the edits: the whole page, loaded up to OLDEST seconds before
OLDEST: Final = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """At second `at` one unit is sold, or `units` are added by a person who loaded the page at `loaded`."""

    at: float
    variant: Variant
    units: int = 0
    loaded: float | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """What happens, in no order, after the sales that come `first` and are waited for."""

    steps: tuple[Step, ...]
    first: tuple[Variant, ...] = ()

    @property
    def sold(self) -> Counter[Variant]:
        """Units that customers buy, by size."""
        return Counter([*self.first, *(step.variant for step in self.steps if not step.units)])

    @property
    def edits(self) -> list[Step]:
        """What the person does."""
        return [step for step in self.steps if step.units]

    @property
    def edited(self) -> dict[Variant, int]:
        """Units that the person adds in all, by size; sizes without any effect are left out."""
        total: Counter[Variant] = Counter()
        for step in self.edits:
            total[step.variant] += step.units
        return nonzero(total)


def plan(variants: list[Variant], counts: tuple[int, int], seconds: float, random: Random) -> Day:
    """A day of so many sales and edits at random moments of `seconds`.

    One of each product is sold first: a form from before the keeper's first write bears no mark of its age.
    """
    sales, edits = counts
    first = {variant.product: variant for variant in variants}
    return Day(span(variants, (sales - len(first), edits), seconds, random), tuple(first.values()))


def span(
    variants: list[Variant], counts: tuple[int, int], seconds: float, random: Random
) -> tuple[Step, ...]:
    """So many sales and edits at random moments of `seconds`."""
    sales, edits = counts
    sold = [Step(random.uniform(0, seconds), random.choice(variants)) for _ in range(sales)]
    edited = [_edit(random.choice(variants), seconds, random) for _ in range(edits)]
    return (*sold, *(_unless_in_the_way(edit, edited) for edit in edited))


def _edit(variant: Variant, seconds: float, random: Random) -> Step:
    at = random.uniform(0, seconds)
    units = random.choice((-1, 1)) * random.randint(1, MOST_UNITS)
    old = random.random() < OLD_FORMS
    return Step(at, variant, units, max(0.0, at - random.uniform(0, OLDEST)) if old else None)


def _unless_in_the_way(edit: Step, others: list[Step]) -> Step:
    """An old form that would take another person's edit back is none: nobody could tell what was meant."""
    if edit.loaded is None:
        return edit
    since = edit.loaded
    met = any(
        other is not edit and other.variant.product == edit.variant.product and since <= other.at <= edit.at
        for other in others
    )
    return replace(edit, loaded=None) if met else edit


def play(shop: Shop, day: Day, patience: float = 60) -> bool:
    """Do everything at its moment, then wait until Stripe shows all of it; whether that came.

    `patience` are the seconds that it may take beside those of the sales themselves.
    """
    for variant in day.first:
        shop.sell(variant)
    shop.rest(60)
    act(shop, day.steps, clock.monotonic())
    intended = shop.intended()
    reached = wait_for(patience + len(day.steps) / SALES_A_SECOND, lambda: shop.shown() == intended, look=1)
    shop.rest(60)
    return reached


def act(shop: Shop, steps: Sequence[Step], began: float) -> None:
    """Do everything at its moment, seconds after `began` (monotonic)."""
    forms: dict[Step, Form] = {}
    loads = [(step.loaded, 0, step) for step in steps if step.loaded is not None]
    deeds = [*loads, *((step.at, 1, step) for step in steps)]
    for at, order, step in sorted(deeds, key=lambda deed: deed[:2]):
        wait_until(began + at)
        if order == 0:
            forms[step] = shop.load(step.variant.product)
        elif step.units:
            shop.edit(step.variant, step.units, forms.get(step))
        else:
            shop.sell(step.variant)


def findings(day: Day, outcome: Outcome, ledger: Ledger) -> list[Finding]:
    """Whether Stripe and the ledger know everything that happened."""
    return [
        equal(outcome),
        sales(day.sold, ledger),
        same("sizes whose edits are movements of their own", ledger.sum(*EDITS), day.edited),
        _movements(day, ledger),
        calls(outcome.log),
        *limits(outcome.log),
    ]


def _movements(day: Day, ledger: Ledger) -> Finding:
    external, overwritten = (ledger.movements[kind] for kind in EDITS)
    figure = f"{external} external, {overwritten} overwritten"
    fits = len(day.edited) <= external + overwritten <= len(day.edits)
    return Finding(f"movements of {len(day.edits)} edits", figure, f"≤ {len(day.edits)}", fits)
