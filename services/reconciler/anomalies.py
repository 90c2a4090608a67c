"""What is wrong with a product that was looked at, and what of it two looks agree about; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.findings import Cause, NewFinding
from shared.verification import Look, MarkerVerdict, Shown, SizeSeen
from shared.vocabulary import PLAIN, ProductId, Size

HEALS: Final = frozenset(
    {
        Cause.EDITED,
        Cause.MARKER_MISSING,
        Cause.OLD_FORM,
        Cause.PRODUCT_DELETED,
        Cause.NEVER_SEEN,
        Cause.WRITE_LOST,
    }
)
"""Causes that a sync mends by itself, once it is asked for."""

EXAMINED: Final = HEALS | {
    Cause.SIZE_REMOVED,
    Cause.NOT_A_NUMBER,
    Cause.MARKER_CHANGED,
    Cause.MARKER_FOREIGN,
    Cause.LEDGER_ALTERED,
}
"""Causes that a verification looks for; what it sees no more is over."""

_BY_VERDICT: Final[Mapping[MarkerVerdict, Cause]] = {
    MarkerVerdict.MISSING: Cause.MARKER_MISSING,
    MarkerVerdict.OLDER: Cause.OLD_FORM,
    MarkerVerdict.CHANGED: Cause.MARKER_CHANGED,
    MarkerVerdict.FOREIGN: Cause.MARKER_FOREIGN,
}


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One thing wrong; two looks mean the same one where all of this is equal. `evidence` is what was seen."""

    cause: Cause
    size: Size = PLAIN
    detail: str = ""
    evidence: str = ""


def is_settled(look: Look | None) -> bool:
    """Whether the look can say that something is, or is not, wrong: nothing was under way."""
    return look is not None and look.shown is not Shown.BUSY and not look.waiting


def anomalies(look: Look | None) -> frozenset[Anomaly]:
    """What is wrong; nothing where a sync is under way, because then it may be in transit."""
    if look is None or not is_settled(look):
        return frozenset()
    if look.shown is Shown.GONE:
        gone = look.state not in {"", "closed"}
        return frozenset(
            {Anomaly(Cause.PRODUCT_DELETED, detail="Stripe answers that there is none")} if gone else ()
        )
    if look.state in {"", "untracked"}:
        return frozenset({Anomaly(Cause.NEVER_SEEN)} if look.sizes else ())
    found = [one for size in look.sizes if (one := _of_size(size, look)) is not None]
    if look.verdict is not MarkerVerdict.FINE:
        found.append(Anomaly(_BY_VERDICT[look.verdict], detail=_marker(look), evidence=look.marker))
    if look.unwritten and look.state == "tracked" and look.verdict is MarkerVerdict.FINE:
        found.append(Anomaly(Cause.WRITE_LOST, detail="nothing asks for a write that is due"))
    return frozenset(found)


def _of_size(seen: SizeSeen, look: Look) -> Anomaly | None:
    if seen.shown is None:
        if seen.raw is not None:
            return Anomaly(Cause.NOT_A_NUMBER, seen.size, f"it shows “{seen.raw[:60]}”", seen.raw)
        if seen.expected is None:
            return None
        return Anomaly(Cause.SIZE_REMOVED, seen.size, f"its field is gone; the ledger has {seen.expected:,}")
    if seen.expected == seen.shown:
        return None
    was = "this size is new" if seen.expected is None else f"{seen.expected:,} was expected"
    return Anomaly(
        Cause.EDITED,
        seen.size,
        f"it shows {seen.shown:,}, {was}",
        f"{look.marker} {seen.expected} {seen.shown}",
    )


def _marker(look: Look) -> str:
    return f"stock_rev is {look.marker[:60]}" if look.marker else "there is no stock_rev"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What two looks at each candidate come to; of the `undecided` products nothing was learned."""

    confirmed: tuple[NewFinding, ...]
    in_transit: int
    undecided: frozenset[ProductId]


def weigh(
    candidates: Iterable[ProductId], first: Mapping[ProductId, Look], second: Mapping[ProductId, Look]
) -> Verdict:
    """What both looks saw in the same way is a finding; whatever else was seen was in transit."""
    confirmed: list[NewFinding] = []
    undecided: set[ProductId] = set()
    transit = 0
    for product in candidates:
        before, after = anomalies(first.get(product)), anomalies(second.get(product))
        same = before & after
        confirmed += findings(product, second.get(product), same)
        transit += not same
        settled = is_settled(first.get(product)) and (not before or is_settled(second.get(product)))
        if not settled or after - before:
            undecided.add(product)
    return Verdict(tuple(confirmed), transit, frozenset(undecided))


def findings(product: ProductId, look: Look | None, found: Iterable[Anomaly]) -> list[NewFinding]:
    """The anomalies of a product as they are kept."""
    name = look.name if look is not None else ""
    ordered = sorted(found, key=lambda one: (one.cause, one.size))
    return [NewFinding(one.cause, product, one.size, name, one.detail) for one in ordered]


def ending(cause: str, followed: Sequence[tuple[int, str, str, int]]) -> str:
    """How a finding ended, in words: by which movements (number, kind, size, delta), else that it is gone."""
    named = [
        f"{kind} {delta:+,}{f' of size {size}' if size else ''} (movement {number})"
        for number, kind, size, delta in followed[:4]
    ]
    if named:
        return f"the ledger followed: {', '.join(named)}"
    if cause in {Cause.MARKER_MISSING, Cause.OLD_FORM}:
        return "stock_rev was written anew"
    return "no longer seen"
