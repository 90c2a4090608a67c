"""A digest as one mail: subject, HTML and text; pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from services.notifier import items
from services.notifier.decide import Digest
from services.notifier.facts import capital, clean
from services.notifier.layout import fill
from services.notifier.mail import Mail
from services.notifier.policy import Policy
from services.notifier.words import WORDS, Words
from shared.alerts import ClaimedAlert
from shared.vocabulary import AlertKind

SUBJECT_LENGTH: Final = 150
KINDS_IN_HEADLINE: Final = 3


@dataclass(frozen=True, slots=True)
class Section:
    """All alerts of one kind and mode: the words once, `items` of the first, `more` for the others."""

    words: Words
    test: bool
    items: tuple[items.Item, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Ends:
    """What is over: a line each for the first, `more` for the others."""

    items: tuple[items.Item, ...]
    more: int


def render(digest: Digest, policy: Policy, *, domain: str) -> Mail:
    """The mail of `digest`, which is not empty; `domain` ends its Message-ID."""
    all_test = all(items.is_test(alert) for alert in (*digest.told, *digest.ended))
    view = {
        "sections": _sections(digest, policy),
        "ends": _ends(digest.ended, policy),
        "headline": headline(digest),
        "all_test": all_test,
        "over": sum(alert.news and not alert.heard for alert in digest.over),
    }
    text, html = fill("mail", view)
    return Mail(_subject(digest, all_test=all_test), text, html, message_id(digest, domain))


def message_id(digest: Digest, domain: str) -> str:
    """The same for the same alerts, so that a mail client folds a mail that was sent twice."""
    told = [f"{alert.id}.{alert.revision}" for alert in sorted(digest.told, key=lambda alert: alert.id)]
    ended = [f"{alert.id}.over" for alert in sorted(digest.ended, key=lambda alert: alert.id)]
    what = ",".join([*told, *ended])
    return f"<alerts-{hashlib.sha256(what.encode()).hexdigest()[:32]}@{domain}>"


def _sections(digest: Digest, policy: Policy) -> tuple[Section, ...]:
    sections: list[Section] = []
    for (kind, test), group in groupby(digest.told, key=lambda alert: (alert.kind, items.is_test(alert))):
        alerts = list(group)
        shown = tuple(
            items.item(alert, policy, digest.sold.get(alert.id)) for alert in alerts[: policy.shown_per_kind]
        )
        sections.append(Section(WORDS[kind], test, shown, len(alerts) - len(shown)))
    return tuple(sections)


def _ends(ended: tuple[ClaimedAlert, ...], policy: Policy) -> Ends | None:
    if not ended:
        return None
    shown = tuple(items.end(alert, policy) for alert in ended[: policy.shown_per_kind])
    return Ends(shown, len(ended) - len(shown))


def headline(digest: Digest) -> str:
    """`Low stock: Mug, M` for one alert, `2 out of stock, 1 low stock, 3 over now` for several."""
    match digest.told, digest.ended:
        case (only,), ():
            return _named(WORDS[only.kind].heading, items.item(only, Policy()))
        case (), (only,):
            return _named(capital(WORDS[only.kind].over), items.end(only, Policy()))
        case told, ended:
            over = f", {len(ended):,} over now" if ended else ""
            return capital((_counts(told) + over).removeprefix(", "))


def _counts(told: tuple[ClaimedAlert, ...]) -> str:
    counts = list(Counter(alert.kind for alert in told).items())
    parts = [_count(kind, count) for kind, count in counts[:KINDS_IN_HEADLINE]]
    more = sum(count for _, count in counts[KINDS_IN_HEADLINE:])
    return ", ".join(parts) + (f" and {more:,} more" if more else "")


def _count(kind: AlertKind, count: int) -> str:
    words = WORDS[kind]
    name = words.many if words.many and count > 1 else words.brief
    return f"{count:,} {name}" if words.counted else name


def _named(what: str, shown: items.Item) -> str:
    return f"{what}: {', '.join(filter(None, (shown.title, shown.size)))}"


def _subject(digest: Digest, *, all_test: bool) -> str:
    """One line without control characters, whatever the products are called."""
    mark = "[stocksync test]" if all_test else "[stocksync]"
    shown = [
        *(items.item(one, Policy()) for one in digest.told[:2]),
        *(items.end(one, Policy()) for one in digest.ended[:2]),
    ]
    figure = shown[0].figure if len(shown) == 1 else ""
    return clean(", ".join(filter(None, (f"{mark} {headline(digest)}", figure))), SUBJECT_LENGTH)
