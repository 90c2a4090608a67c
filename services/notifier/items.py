"""An alert as the lines a person reads; total, whatever its facts hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.notifier.cover import cover
from services.notifier.facts import LINE_LENGTH, NAME_LENGTH, capital, clean, details, moment, whole
from services.notifier.found import finding_lines
from services.notifier.policy import Policy
from services.notifier.recovered import recovered_lines
from services.notifier.words import WORDS
from shared.alerts import ClaimedAlert, Sold
from shared.stock_metadata import stock_key
from shared.vocabulary import AlertKind, Size

DASHBOARD: Final = "https://dashboard.stripe.com"
_PRODUCT = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_ACCOUNT = re.compile(r"(self|acct_[A-Za-z0-9]{1,60}):(test|live)", re.ASCII)
_WHEN: Final[Mapping[AlertKind, str]] = {
    AlertKind.QUARANTINE: "Once its numbers there are right",
    AlertKind.REFUND_PROPOSED: "To put it back into stock",
    AlertKind.DISPUTED: "Where the goods have not left, or came back",
}
"""When the fact `command` is the one to type. `first` is to be done before, `dismiss` typed where nothing came back."""
_STOCK_KINDS: Final = frozenset({AlertKind.LOW_STOCK, AlertKind.OUT_OF_STOCK})


@dataclass(frozen=True, slots=True)
class Item:
    """What one alert says: a title, the units left in large where it has some, lines, a Dashboard link."""

    title: str
    size: str
    figure: str
    lines: tuple[str, ...]
    link: str
    since: str


def item(alert: ClaimedAlert, policy: Policy, sold: Sold | None = None) -> Item:
    """The lines of `alert`, names cleaned of control characters and cut to size; `sold`: how fast it sells."""
    size = clean(alert.facts.get("size"), NAME_LENGTH)
    return Item(
        title=_title(alert),
        size=size,
        figure=_figure(alert),
        lines=(*_stock_lines(alert, sold), *_lines(alert, policy)),
        link=product_link(alert),
        since=moment(alert.raised_at, policy.zone),
    )


def end(alert: ClaimedAlert, policy: Policy) -> Item:
    """What is said of an alert that is over: what is well again, and since when."""
    over = moment(alert.resolved_at or alert.raised_at, policy.zone)
    counted = alert.kind in _STOCK_KINDS and alert.on_hand is not None  # what it was then says nothing now
    return Item(
        title=_title(alert),
        size=clean(alert.facts.get("size"), NAME_LENGTH),
        figure=_left(alert) if counted else "",
        lines=(capital(WORDS[alert.kind].over),),
        link="",
        since=over,
    )


def product_link(alert: ClaimedAlert) -> str:
    """The product's page in Stripe's Dashboard, empty where the alert names none."""
    product, account = alert.facts.get("product"), _ACCOUNT.fullmatch(alert.account)
    if not isinstance(product, str) or not _PRODUCT.fullmatch(product) or account is None:
        return ""
    owner = "" if account[1] == "self" else f"/{account[1]}"
    mode = "/test" if account[2] == "test" else ""
    return f"{DASHBOARD}{owner}{mode}/products/{product}"


def is_test(alert: ClaimedAlert) -> bool:
    """Whether it is about a test mode, where nobody pays."""
    return alert.account.endswith(":test")


def _title(alert: ClaimedAlert) -> str:
    facts = alert.facts
    named = (clean(facts.get(key), NAME_LENGTH) for key in ("name", "product", "queue", "job"))
    return next(filter(None, named), "") or _subject(alert.subject) or "(without a name)"


def _subject(text: str) -> str:
    """An alert's subject, account keys in words."""
    account = _ACCOUNT.fullmatch(text)
    if account is None:
        return clean(text, NAME_LENGTH)
    whose = "your Stripe account" if account[1] == "self" else f"Stripe account {account[1]}"
    return f"{whose}, {account[2]} mode"


def units_left(alert: ClaimedAlert) -> int | None:
    """Units on hand, now rather than then; None where the alert is about no level of stock."""
    if alert.kind not in _STOCK_KINDS:
        return None
    units = alert.on_hand if alert.on_hand is not None else whole(alert.facts.get("on_hand"))
    return None if units is None else max(0, units)


def _left(alert: ClaimedAlert) -> str:
    left = units_left(alert)
    return "" if left is None else f"{left:,} left"


def _figure(alert: ClaimedAlert) -> str:
    if left := _left(alert):
        return left
    if alert.kind is AlertKind.OVERSOLD and (short := whole(alert.facts.get("short"))):
        return f"{short:,} short"
    if recovered := whole(alert.facts.get("recovered")):
        return f"{recovered:,} {'sale' if recovered == 1 else 'sales'}"
    if (quantity := whole(alert.facts.get("quantity"))) is not None:
        return f"{quantity:,} sold"
    if alert.kind is AlertKind.DEAD_LETTER and (count := whole(alert.facts.get("count"))) is not None:
        return f"{count:,} {'message' if count == 1 else 'messages'}"
    return ""


def _stock_lines(alert: ClaimedAlert, sold: Sold | None) -> list[str]:
    if alert.kind not in _STOCK_KINDS:
        return []
    lines = [cover(units_left(alert) or 0, sold)] if sold is not None else []
    field = f"metadata field {stock_key(Size(clean(alert.facts.get('size'), NAME_LENGTH)))}"
    threshold = clean(alert.facts.get("threshold"), LINE_LENGTH)
    return [*lines, f"threshold {threshold}, {field}" if threshold else field]


def _lines(alert: ClaimedAlert, policy: Policy) -> list[str]:
    facts, lines = alert.facts, list[str]()
    lines += _sold_to(alert, policy)
    lines += recovered_lines(facts)
    lines += finding_lines(facts)
    if reason := clean(facts.get("reason"), LINE_LENGTH):
        lines.append(reason)
    if session := clean(facts.get("session"), LINE_LENGTH):
        line = clean(facts.get("line_item"), LINE_LENGTH)
        lines.append(f"session {session}" + (f", line {line}" if line else ""))
    lines += _commands(alert)
    lines += details(facts, policy)
    if alert.snoozed_until is not None:
        lines.append(f"snoozed until {moment(alert.snoozed_until, policy.zone)}, and it still lasts")
    if alert.resolved_at is not None:
        at = moment(alert.resolved_at, policy.zone)
        waits = f"nothing is short any more ({at}), but these buyers still wait"
        lines.append(waits if alert.kind is AlertKind.OVERSOLD else f"settled {at}")
    return lines


def _commands(alert: ClaimedAlert) -> list[str]:
    """What to type, and when."""
    lines: list[str] = []
    if first := clean(alert.facts.get("first"), LINE_LENGTH):
        lines.append(first)
    if (command := clean(alert.facts.get("command"), LINE_LENGTH)) and alert.kind in _WHEN:
        lines.append(f"{_WHEN[alert.kind]}: `{command}`")
    if dismiss := clean(alert.facts.get("dismiss"), LINE_LENGTH):
        lines.append(f"Where nothing came back: `{dismiss}`")
    return lines


def _units(count: int) -> str:
    return "unit" if count == 1 else "units"


def _sold_to(alert: ClaimedAlert, policy: Policy) -> list[str]:
    """The newest sessions of an oversold alert, and how many were earlier."""
    sales = _sales(alert)
    totals: dict[str, int] = {}
    for session, units in sales:  # a session of several lines is one
        totals[session] = totals.get(session, 0) + units
    lines = [f"{units:,} {_units(units)} in session {session}" for session, units in totals.items()]
    forgotten = max(0, (whole(alert.facts.get("sold")) or 0) - len(sales))
    shown = lines[-policy.sessions_shown :]
    earlier = forgotten + len(lines) - len(shown)
    return [*shown, f"and {earlier:,} earlier"] if earlier else shown


def _sales(alert: ClaimedAlert) -> list[tuple[str, int]]:
    """(session, units) that an oversold alert names, the newest last."""
    listed = alert.facts.get("sales")
    return [
        (clean(sale.get("session"), LINE_LENGTH), whole(sale.get("units")) or 0)
        for sale in (listed if isinstance(listed, list) else [])
        if isinstance(sale, dict)
    ]
