"""Whether an observed marker can be believed, and which known state the observation is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.stock_worker.protocol.facts import NO_MARKER, Facts, Owner
from services.stock_worker.protocol.history import Extent, History
from shared.marker import parse
from shared.writes import Units


@dataclass(frozen=True, slots=True)
class Believe:
    """Compare with K(`marker`).last, or with `units` where they are known from the event log alone."""

    marker: str
    units: Units | None = None


@dataclass(frozen=True, slots=True)
class LogNeeded:
    """The marker is odd: digest the event log first, then judge again with it."""


CHECK: Final = "Check the product's numbers in the Dashboard, and correct them there."


@dataclass(frozen=True, slots=True)
class Distrust:
    """Nothing explains the marker: quarantine the product, write nothing.

    `check` is what a person sees to before the takeover that ends it.
    """

    reason: str
    check: str = CHECK


Judgement = Believe | LogNeeded | Distrust

_REASONS = {
    Owner.LOST: "its marker names a write that this database does not know (was a backup restored?)",
    Owner.FORMER: "a restored backup does not know what it shows, and Stripe's event log does not tell either",
    Owner.FOREIGN: "another installation of stocksync, {installation}, keeps this product",
    Owner.GARBAGE: "its stock_rev was changed by hand",
    Owner.COPIED: "its stock_rev was copied from another product",
}
_CHECKS = {
    Owner.LOST: "After a restored backup `stocksync restored` mends it, with all stock workers stopped. "
    "Otherwise check the product's numbers in the Dashboard, and correct them there.",
    Owner.FOREIGN: "Stop the other installation. Then check the product's numbers in the Dashboard. If it was this "
    "database itself, before a backup was restored, `stocksync restored --also {installation}` is what mends it.",
}


def judge(facts: Facts, marker: str, history: History | None) -> Judgement:
    """What to make of the observed `marker`; `history` is the product's event log once digested."""
    if facts.owner is Owner.OURS:
        if facts.observed_rev >= facts.highest_landed and not facts.unexplained:
            return Believe(marker)
        return _older(facts, marker, history)
    if facts.owner is Owner.NOBODY or (facts.owner is Owner.COPIED and not facts.highest_landed):
        return _bare(facts, history)
    if facts.owner is Owner.FORMER and (history is None or history.extent is Extent.TAIL):
        return LogNeeded()
    parsed = parse(marker)
    texts = _REASONS[facts.owner], _CHECKS.get(facts.owner, CHECK)
    return Distrust(*(text.format(installation=parsed.installation if parsed else "") for text in texts))


def _older(facts: Facts, marker: str, history: History | None) -> Judgement:
    """A marker behind what has landed: an old form was saved, if the log's last event says so."""
    if history is None:
        return LogNeeded()
    if facts.observed_rev >= facts.highest_landed or history.ends_with(marker):
        return Believe(marker)
    return Distrust("its stock_rev went backwards, and no event explains it")


def _bare(facts: Facts, history: History | None) -> Judgement:
    """No marker: nothing was ever written, or somebody deleted it and the log says which."""
    if not facts.highest_landed and not facts.unexplained:
        return Believe(NO_MARKER)
    if history is None:
        return LogNeeded()
    stood = history.standing()
    if history.extent is Extent.TAIL and (stood is None or history.spoiled):
        return LogNeeded()  # what was typed over a marker may have stood there long before
    if stood is not None:
        return Believe(stood.marker, stood.units)
    if not facts.highest_landed:
        return Believe(NO_MARKER)
    return Distrust("its stock_rev was removed, and no event says when")
