from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.stripe_api.catalogue import STRIPE_BEGAN, Span, walk
from shared.stripe_api.lists import Page

PAGE = 5


class Lists:
    """A list as Stripe answers for it: newest first, by span and cursor."""

    def __init__(self, created: Sequence[int]) -> None:
        ordered = sorted(range(len(created)), key=lambda n: (-created[n], n))
        self.rows: list[dict[str, Any]] = [{"id": f"prod_{n}", "created": created[n]} for n in ordered]
        self.calls = 0
        self._lock = Lock()

    def fetch(self, span: Span) -> Page:
        """One page."""
        with self._lock:
            self.calls += 1
        rows = [
            row
            for row in self.rows
            if span.oldest <= row["created"] and (span.newest is None or row["created"] <= span.newest)
        ]
        if span.after is not None:
            rows = rows[[row["id"] for row in rows].index(span.after) + 1 :]
        return Page(rows[:PAGE], len(rows) > PAGE)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 40) | st.integers(0, 400_000_000), max_size=120),
    st.integers(1, 4),
)
def test_every_row_is_read_once_whenever_it_was_created(ages: list[int], walkers: int) -> None:
    """However creation times lie, all in one second or years apart, no row is missed and none comes twice."""
    lists = Lists([STRIPE_BEGAN + age for age in ages])
    found = [str(row["id"]) for page in walk(lists.fetch, walkers) for row in page]
    assert sorted(found) == sorted(row["id"] for row in lists.rows)


def test_spans_without_rows_cost_few_calls() -> None:
    """What was created within an hour, years after Stripe began, is found by halving."""
    lists = Lists([STRIPE_BEGAN + 400_000_000 + n for n in range(3600)])
    assert sum(len(page) for page in walk(lists.fetch)) == 3600
    assert lists.calls <= 3600 / PAGE + 60


def test_what_goes_wrong_reaches_whoever_reads() -> None:
    """An error of one call ends the walk with that error."""

    def broken(span: Span) -> Page:
        raise KeyError(span.oldest)

    with pytest.raises(KeyError):
        list(walk(broken))


def test_whoever_has_seen_enough_may_leave() -> None:
    """A reader that stops early leaves no thread reading on."""
    lists = Lists([STRIPE_BEGAN + n for n in range(2000)])
    pages = walk(lists.fetch)
    next(pages)
    pages.close()
    calls = lists.calls
    assert calls < 100
    assert lists.calls == calls
