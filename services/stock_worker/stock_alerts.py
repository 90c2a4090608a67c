"""Which stock alerts a change of levels raises and ends; pure, used inside the booking transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from shared.alerts import AlertKey, NewAlert, OversoldSale, oversold_facts, stock_facts
from shared.vocabulary import AccountKey, AlertKind, Variant

LOW_STOCK_THRESHOLD: Final = 5


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One variant's units on hand `before` and `after` a transaction.

    `before` is None at first sight: what was low before stocksync came is no news. `oversold` are the sales
    that found too little; their units are already booked back, so `after` is 0 then.
    """

    variant: Variant
    name: str
    before: int | None
    after: int
    threshold: int = LOW_STOCK_THRESHOLD
    oversold: tuple[OversoldSale, ...] = ()

    @property
    def subject(self) -> str:
        """What its alerts are about."""
        return str(self.variant)


@dataclass(frozen=True, slots=True)
class StockAlerts:
    """What is to be raised and resolved; resolve first."""

    raised: tuple[NewAlert, ...]
    resolved: tuple[AlertKey, ...]


def effective_threshold(variant: int | None, product: int | None, default: int = LOW_STOCK_THRESHOLD) -> int:
    """The threshold in units: the variant's own, else the product's, else the shop's."""
    if variant is not None:
        return variant
    return default if product is None else product


def decide(
    account: AccountKey, changes: Iterable[LevelChange], opened: Collection[tuple[AlertKind, str]]
) -> StockAlerts:
    """The alerts of `changes`, where `opened` are the (kind, subject) that are open now.

    One alert is told of per variant and kind until a restock ends it: out of stock ends above 0, low stock
    above the threshold, oversold above 0. Every further oversold sale is handed over again, to be added.
    """
    raised: list[NewAlert] = []
    resolved: list[AlertKey] = []
    for change in changes:
        is_open = {kind for kind, subject in opened if subject == change.subject}
        over = [kind for kind in _over(change) if kind in is_open]
        resolved += [AlertKey(kind, change.subject) for kind in over]
        news = _news(change)
        if news is not None and news not in is_open:
            facts = stock_facts(change.variant, change.name, on_hand=change.after, threshold=change.threshold)
            raised.append(NewAlert(account, news, change.subject, facts))
        if change.oversold:
            facts = oversold_facts(change.variant, change.name, change.oversold)
            raised.append(NewAlert(account, AlertKind.OVERSOLD, change.subject, facts))
    return StockAlerts(tuple(raised), tuple(resolved))


def _over(change: LevelChange) -> tuple[AlertKind, ...]:
    """The kinds that cannot be true of a level `after`."""
    if change.after <= 0:
        return ()
    ended = (AlertKind.OUT_OF_STOCK, AlertKind.OVERSOLD)
    return (*ended, AlertKind.LOW_STOCK) if change.after > change.threshold else ended


def _news(change: LevelChange) -> AlertKind | None:
    """What a fall, or a restock that is too small, would tell if it were not open yet."""
    before, after = change.before, change.after
    if before is None or after == before:
        return None
    if after <= 0:
        return AlertKind.OUT_OF_STOCK if after < before else None
    fell_or_was_out = after < before or before <= 0
    return AlertKind.LOW_STOCK if after <= change.threshold and fell_or_was_out else None
