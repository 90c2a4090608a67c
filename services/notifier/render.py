"""A digest as one mail: subject, HTML and text; pure."""

from __future__ import annotations

import hashlib
import textwrap
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notifier import items
from services.notifier.decide import Digest
from services.notifier.mail import Mail
from services.notifier.policy import Policy
from services.notifier.words import WORDS, Words
from shared.alerts import ClaimedAlert

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXT_WIDTH: Final = 76
SUBJECT_LENGTH: Final = 150
KINDS_IN_HEADLINE: Final = 3


@dataclass(frozen=True, slots=True)
class Section:
    """All alerts of one kind and mode: the words once, `items` of the first, `more` for the others."""

    words: Words
    test: bool
    items: tuple[items.Item, ...]
    more: int


def render(digest: Digest, policy: Policy, *, domain: str) -> Mail:
    """The mail that tells of `digest.told` (at least one); `domain` ends its Message-ID."""
    told = digest.told
    all_test = all(items.is_test(alert) for alert in told)
    view = {
        "sections": _sections(told, policy),
        "headline": _headline(told),
        "all_test": all_test,
        "over": len(digest.over),
    }
    html = _environment().get_template("mail.html.j2").render(view)
    text = _environment().get_template("mail.txt.j2").render(view)
    inlined = css_inline.inline(html, keep_at_rules=True, load_remote_stylesheets=False)
    return Mail(_subject(told, all_test=all_test), text.strip() + "\n", inlined, message_id(told, domain))


def message_id(told: tuple[ClaimedAlert, ...], domain: str) -> str:
    """The same for the same alerts, so that a mail client folds a mail that was sent twice."""
    what = ",".join(f"{alert.id}.{alert.revision}" for alert in sorted(told, key=lambda alert: alert.id))
    return f"<alerts-{hashlib.sha256(what.encode()).hexdigest()[:32]}@{domain}>"


def _sections(told: tuple[ClaimedAlert, ...], policy: Policy) -> tuple[Section, ...]:
    sections: list[Section] = []
    for (kind, test), group in groupby(told, key=lambda alert: (alert.kind, items.is_test(alert))):
        alerts = list(group)
        shown = tuple(items.item(alert, policy) for alert in alerts[: policy.shown_per_kind])
        sections.append(Section(WORDS[kind], test, shown, len(alerts) - len(shown)))
    return tuple(sections)


def _headline(told: tuple[ClaimedAlert, ...]) -> str:
    """`Low stock: Mug, M` for one alert, `2 out of stock, 1 low stock` for several."""
    first, *others = told
    if not others:
        shown = items.item(first, Policy())
        return f"{WORDS[first.kind].heading}: {', '.join(filter(None, (shown.title, shown.size)))}"
    counts = list(Counter(alert.kind for alert in told).items())
    parts = [
        f"{count:,} {WORDS[kind].brief}" if WORDS[kind].counted else WORDS[kind].brief
        for kind, count in counts[:KINDS_IN_HEADLINE]
    ]
    more = sum(count for _, count in counts[KINDS_IN_HEADLINE:])
    headline = ", ".join(parts) + (f" and {more:,} more" if more else "")
    return headline[0].upper() + headline[1:]


def _subject(told: tuple[ClaimedAlert, ...], *, all_test: bool) -> str:
    """One line without control characters, whatever the products are called."""
    mark = "[stocksync test]" if all_test else "[stocksync]"
    figure = items.item(told[0], Policy()).figure if len(told) == 1 else ""
    return items.clean(", ".join(filter(None, (f"{mark} {_headline(told)}", figure))), SUBJECT_LENGTH)


def wrapped(text: str, indent: str = "") -> str:
    """`text` in lines that any mail client shows whole."""
    return textwrap.fill(
        text, TEXT_WIDTH, initial_indent=indent, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.j2"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrapped"] = wrapped
    return environment
