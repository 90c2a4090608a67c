"""What was found, held against what was spoiled; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.sync.finding import Finding
from shared.findings import Cause
from shared.vocabulary import ProductId

FEWEST_KINDS: Final = 8


@dataclass(frozen=True, slots=True)
class Corruption:
    """How a product was spoiled, the cause it must be found with, and the state of that finding afterwards."""

    kind: str
    cause: Cause
    state: str


@dataclass(frozen=True, slots=True)
class Told:
    """A finding as it stands, by its number; `detail` is for people."""

    number: int
    product: ProductId
    cause: Cause
    state: str
    detail: str = ""


Spoiled = Mapping[ProductId, Corruption]


def rightly_found(spoiled: Spoiled, told: Sequence[Told]) -> set[ProductId]:
    """The spoiled products that have one finding and no other, with the right cause and in the right state."""
    each = Counter(one.product for one in told)
    return {
        one.product
        for one in told
        if each[one.product] == 1
        and (was := spoiled.get(one.product)) is not None
        and (one.cause, one.state) == (was.cause, was.state)
    }


def wrongly_told(spoiled: Spoiled, told: Iterable[Told]) -> list[Told]:
    """Findings of products that nobody spoiled."""
    return [one for one in told if one.product not in spoiled]


def findings(spoiled: Spoiled, runs: Sequence[Sequence[Told]]) -> list[Finding]:
    """What the `runs` after the corruptions have found; each is all that was told by its end."""
    kinds = Counter(one.kind for one in spoiled.values())
    last = runs[-1]
    false = wrongly_told(spoiled, last)
    missed = [one for product, one in spoiled.items() if product not in rightly_found(spoiled, last)]
    return [
        Finding(
            "corruptions",
            f"{len(spoiled)} of {len(kinds)} kinds",
            f"≥ {FEWEST_KINDS} kinds",
            len(kinds) >= FEWEST_KINDS,
        ),
        Finding("… of them", _listed(kinds)),
        Finding("found by the first run", _share(spoiled, runs[0])),
        Finding(
            f"found within {len(runs)} runs, once, with its cause", _share(spoiled, last), "all", not missed
        ),
        *([Finding("… not so", _listed(Counter(one.kind for one in missed)))] if missed else []),
        Finding("findings of other products", str(len(false)), "0", not false),
    ]


def _share(spoiled: Spoiled, told: Sequence[Told]) -> str:
    return f"{len(rightly_found(spoiled, told))} of {len(spoiled)}"


def _listed(kinds: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())
