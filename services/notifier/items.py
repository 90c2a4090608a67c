"""An alert as the lines a person reads; total, whatever its facts hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.notifier.policy import Policy
from shared.alerts import JSON, ClaimedAlert
from shared.stock_metadata import stock_key
from shared.vocabulary import AlertKind, Size

NAME_LENGTH, LINE_LENGTH = 80, 200
DASHBOARD: Final = "https://dashboard.stripe.com"
_PRODUCT = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_ACCOUNT = re.compile(r"(self|acct_[A-Za-z0-9]{1,60}):(test|live)", re.ASCII)
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


def item(alert: ClaimedAlert, policy: Policy) -> Item:
    """The lines of `alert`, names cleaned of control characters and cut to size."""
    size = clean(alert.facts.get("size"), NAME_LENGTH)
    return Item(
        title=_title(alert),
        size=size,
        figure=_figure(alert),
        lines=tuple(_lines(alert, policy)),
        link=product_link(alert),
        since=moment(alert.raised_at),
    )


def clean(value: JSON, length: int) -> str:
    """`value` as one line of at most `length` visible characters; empty for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    visible = (" " if unicodedata.category(c)[0] in "CZ" else c for c in str(value)[: length * 4])
    line = " ".join("".join(visible).split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def moment(at: datetime) -> str:
    """`24 Nov 2026, 09:05 UTC`."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


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
    named = clean(facts.get("name"), NAME_LENGTH) or clean(facts.get("product"), NAME_LENGTH)
    return named or _subject(alert.subject) or "(without a name)"


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
    then = alert.facts.get("on_hand")
    units = alert.on_hand if alert.on_hand is not None else then
    return max(0, units) if isinstance(units, int) and not isinstance(units, bool) else None


def _figure(alert: ClaimedAlert) -> str:
    left = units_left(alert)
    if left is not None:
        return f"{left:,} left"
    if alert.kind is AlertKind.OVERSOLD and (missing := sum(units for _, units in _sales(alert))):
        return f"{missing:,} short"
    quantity = alert.facts.get("quantity")
    return f"{quantity:,} sold" if isinstance(quantity, int) and not isinstance(quantity, bool) else ""


def _lines(alert: ClaimedAlert, policy: Policy) -> list[str]:
    facts, lines = alert.facts, list[str]()
    if alert.kind in _STOCK_KINDS:
        if threshold := clean(facts.get("threshold"), LINE_LENGTH):
            lines.append(f"threshold {threshold}")
        field = stock_key(Size(clean(facts.get("size"), NAME_LENGTH)))
        lines.append(f"metadata field {field}")
    sales = _sales(alert)
    lines += [
        f"{units:,} {'unit' if units == 1 else 'units'} in session {session}"
        for session, units in sales[: policy.sessions_shown]
    ]
    if len(sales) > policy.sessions_shown:
        lines.append(f"and {len(sales) - policy.sessions_shown:,} more sessions")
    lines += _findings(alert)
    if reason := clean(facts.get("reason"), LINE_LENGTH):
        lines.append(reason)
    if session := clean(facts.get("session"), LINE_LENGTH):
        line = clean(facts.get("line_item"), LINE_LENGTH)
        lines.append(f"session {session}" + (f", line {line}" if line else ""))
    if alert.resolved_at is not None:
        lines.append(f"restocked meanwhile ({moment(alert.resolved_at)}), but these buyers still wait"
                     if alert.kind is AlertKind.OVERSOLD else f"settled {moment(alert.resolved_at)}")  # fmt: skip
    return lines


def _findings(alert: ClaimedAlert) -> list[str]:
    """How many findings there are of each cause, then the first of them with the command that mends each."""
    counts, listed = alert.facts.get("counts"), alert.facts.get("findings")
    counted = [one for one in (counts if isinstance(counts, list) else []) if isinstance(one, dict)]
    shown = [one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)]
    return [
        *(f"{clean(one.get('findings'), 20)} × {clean(one.get('cause'), LINE_LENGTH)}" for one in counted),
        *(_finding(one) for one in shown),
    ]


def _finding(one: Mapping[str, JSON]) -> str:
    said = {
        key: clean(one.get(key), LINE_LENGTH)
        for key in ("product", "name", "size", "cause", "detail", "command")
    }
    what = ", ".join(filter(None, (said["name"] or said["product"], said["size"])))
    why = "; ".join(filter(None, (said["cause"], said["detail"])))
    return f"{what}: {why}" + (f". To mend it: `{said['command']}`" if said["command"] else "")


def _sales(alert: ClaimedAlert) -> list[tuple[str, int]]:
    """(session, units) of an oversold alert; sessions told twice are added up."""
    listed = alert.facts.get("sales")
    totals: dict[str, int] = {}
    for sale in listed if isinstance(listed, list) else []:
        if isinstance(sale, dict):
            session, units = clean(sale.get("session"), LINE_LENGTH), sale.get("units")
            totals[session] = totals.get(session, 0) + (units if isinstance(units, int) else 0)
    return list(totals.items())
