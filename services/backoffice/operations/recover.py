"""Finding sales and product changes that no webhook told of, and telling the stock worker if that is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.recovery.feed import Feed, hand_on
from shared.recovery.plan import Missed, Window
from shared.recovery.search import Found, Places, Search
from shared.recovery.tally import Tally
from shared.refusal import Refused

MOST_SHOWN: Final = 10_000
"""Missed things that are kept to be shown; all are counted."""


class NeverRan(Refused):
    """No stock worker has run on this database; the text is fit for people."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found in `window`: all of it counted, the first of it `shown`; `told` where it was published."""

    window: Window
    told: bool
    tally: Tally = field(default_factory=Tally)
    shown: list[Missed] = field(default_factory=list[Missed])


def recover(places: Places, *, since: datetime | None = None, tell: bool = False) -> Recovery:
    """Look for what was missed `since` then, by default as far back as the job looks; publish it if `tell`.

    Safe to run again and beside the job. Raises NeverRan, StripeFailed, SurprisingAnswer, Crowded, or an Outage.
    """
    search = Search(places)
    window = search.window(since)
    if window is None:
        raise NeverRan("no stock worker has run on this database yet: there is nothing to recover")
    if tell:
        places.broker.declare()
    feed = Feed(places.broker, places.stop)
    done = Recovery(window, tell)
    for found in _pages(search, window):
        if tell:
            hand_on(feed, found.missed, places)
        done.tally.add(found)
        done.shown.extend(found.missed[: MOST_SHOWN - len(done.shown)])
    return done


def _pages(search: Search, window: Window) -> Iterator[Found]:
    yield from search.events(window)
    yield from search.sessions(window)
