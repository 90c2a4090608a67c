"""People who never rest: customers and a person at the Dashboard, at the same pace for as long as it takes."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from threading import Event
from typing import Final

from bench.sync import edits
from bench.sync.shop import SIZES, Shop
from shared import clock
from shared.vocabulary import Variant

SALES, EDITS = 10, 10  # a second
SPAN: Final = 5  # seconds that are planned at once
POPULAR: Final = 200  # one product in so many has as many changes as all others together


@dataclass(slots=True)
class Crowd:
    """What they have done so far; `forms` are those of the `edits` that saved a whole page."""

    sales: int = 0
    edits: int = 0
    forms: int = 0
    seconds: float = 0.0

    @property
    def changes(self) -> int:
        """All of it."""
        return self.sales + self.edits

    @property
    def pace(self) -> float:
        """Changes a second."""
        return self.changes / self.seconds if self.seconds else 0.0

    def act(self, shop: Shop, random: Random, over: Event) -> None:
        """Buy and edit until the end of the span in which `over` is set."""
        variants, began = favoured(shop.variants), clock.monotonic()
        spans = 0
        while not over.is_set():
            steps = edits.span(variants, (SALES * SPAN, EDITS * SPAN), SPAN, random)
            edits.act(shop, steps, began + SPAN * spans)
            spans += 1
            self.sales += SALES * SPAN
            self.edits += EDITS * SPAN
            self.forms += sum(step.loaded is not None for step in steps)
            self.seconds = max(SPAN * spans, clock.monotonic() - began)


def favoured(variants: list[Variant]) -> list[Variant]:
    """The sizes of all products, those of the popular ones so often that half of all draws are theirs."""
    popular = max(1, len(variants) // len(SIZES) // POPULAR) * len(SIZES)
    few, others = variants[:popular], variants[popular:]
    return [*few * max(1, len(others) // len(few)), *others]


@contextmanager
def busy(shop: Shop, random: Random) -> Generator[Crowd]:
    """The crowd is in the shop until the block ends; raises what it ran into."""
    crowd, over = Crowd(), Event()
    with ThreadPoolExecutor(1, "crowd") as pool:
        done = pool.submit(crowd.act, shop.another(), random, over)
        try:
            yield crowd
        finally:
            over.set()
        done.result()
