from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages import SessionPaid
from shared.recovery.paid_log import PaidLog
from shared.recovery.plan import (
    CUT_OFF,
    OVERLAP,
    Span,
    Why,
    doubted,
    explained,
    spans,
    window,
)
from shared.stripe_api.objects import ListedSession, PaidEvent
from shared.vocabulary import AccountKey, EventId, SessionId

ACCOUNT = AccountKey("self:test")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def session(number: int, made: datetime, status: str = "paid") -> ListedSession:
    return ListedSession(id=SessionId(f"cs_{number}"), created=made, payment_status=status)


def event(number: int, at: datetime, *, of: int, delivered: bool = True) -> PaidEvent:
    return PaidEvent(
        id=EventId(f"evt_{number}"),
        type="checkout.session.completed",
        created=at,
        session=SessionId(f"cs_{of}"),
        delivered=delivered,
    )


def test_by_default_sales_of_three_days_and_events_of_thirty_are_looked_at() -> None:
    """Without anything known, sessions go back 72 hours and events 30 days."""
    found = window(NOW, LONG_AGO)
    assert (found.sessions_since, found.events_since) == (NOW - timedelta(hours=72), NOW - timedelta(days=30))
    assert found.cut_off == NOW - timedelta(minutes=15)


@given(
    installed=st.timedeltas(timedelta(), timedelta(days=60)),
    since=st.none() | st.timedeltas(timedelta(), timedelta(days=60)),
    looked=st.none() | st.timedeltas(timedelta(), timedelta(days=60)),
    compared=st.none() | st.timedeltas(timedelta(), timedelta(days=60)),
)
def test_nothing_from_before_the_installation_is_looked_at(
    installed: timedelta, since: timedelta | None, looked: timedelta | None, compared: timedelta | None
) -> None:
    """Whatever is wanted, what was sold before is in the opening balances."""
    found = window(
        NOW,
        NOW - installed,
        looked_until=None if looked is None else NOW - looked,
        compared_until=None if compared is None else NOW - compared,
        since=None if since is None else NOW - since,
    )
    assert found.sessions_since >= NOW - installed
    assert found.events_since >= NOW - installed
    assert found.events_since >= NOW - timedelta(days=30)


def test_events_are_looked_through_once_but_for_an_overlap() -> None:
    """The next look begins an hour before where the last one ended; sessions are always compared in full."""
    found = window(NOW, LONG_AGO, looked_until=NOW - timedelta(minutes=20))
    assert found.events_since == NOW - timedelta(minutes=20) - OVERLAP
    assert found.sessions_since == NOW - timedelta(hours=72)


def test_after_a_time_off_all_sessions_since_are_compared() -> None:
    """And those of three days before the last comparison, which may have been paid for later; not the days before."""
    last = NOW - timedelta(days=5)
    assert window(NOW, LONG_AGO, compared_until=last).sessions_since == last - timedelta(hours=72)
    assert window(NOW, NOW - timedelta(days=6), compared_until=last).sessions_since == NOW - timedelta(days=6)


@st.composite
def listings(draw: st.DrawFn) -> list[list[ListedSession]]:
    """Pages of a list, newest first, often with several sessions in one second, cut anywhere."""
    ages = sorted(draw(st.lists(st.integers(0, 30), max_size=40)))
    statuses = st.sampled_from(["paid", "unpaid", "no_payment_required"])
    rows = [session(n, NOW - timedelta(seconds=age), draw(statuses)) for n, age in enumerate(ages)]
    size = draw(st.integers(1, 10))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@given(pages=listings())
def test_spans_cover_the_window_without_a_gap_and_no_second_is_cut(pages: list[list[ListedSession]]) -> None:
    """However a list is paged, spans join each other, and each holds exactly the paid sessions of its time."""
    since, until = NOW - timedelta(seconds=60), NOW + timedelta(seconds=1)
    found = list(spans(pages, since, until))
    assert [one.since for one in found][-1] == since
    assert [one.until for one in found] == [until, *(one.since for one in found[:-1])]
    paid = {row.id: row.created for page in pages for row in page if row.payment_status != "unpaid"}
    for one in found:
        assert one.paid == {name: made for name, made in paid.items() if one.since <= made < one.until}


AGES = st.timedeltas(timedelta(), timedelta(hours=70))
IDS = st.integers(0, 8).map(lambda n: SessionId(f"cs_{n}"))


@given(paid=st.dictionaries(IDS, AGES), booked=st.sets(IDS), told=st.sets(IDS))
def test_a_paid_session_is_booked_told_in_transit_or_missing(
    paid: dict[SessionId, timedelta], booked: set[SessionId], told: set[SessionId]
) -> None:
    """Each is exactly one of them, and only what is older than a quarter of an hour is missing."""
    span = Span(LONG_AGO, NOW, {one: NOW - age for one, age in paid.items()})
    found = doubted(span, booked, told, NOW - CUT_OFF)
    assert found.in_transit.isdisjoint(found.missing)
    assert found.in_transit | found.missing.keys() == paid.keys() - booked - told
    assert all(made <= NOW - CUT_OFF for made in found.missing.values())
    assert all(span.paid[one] > NOW - CUT_OFF for one in found.in_transit)


@pytest.mark.parametrize(
    ("found", "whole", "why"),
    [
        (event(1, NOW, of=1, delivered=False), False, Why.UNDELIVERED),
        (event(1, NOW, of=1), False, Why.LOST),
        (None, True, Why.NO_EVENT),
        (None, False, Why.UNKNOWN),
    ],
)
def test_a_missing_sale_says_why(found: PaidEvent | None, whole: bool, why: Why) -> None:
    """The log tells whether there was an event; only a log that was read far enough tells that there was none."""
    made = NOW - timedelta(hours=1)
    missed = explained(ACCOUNT, SessionId("cs_1"), made, found, whole_log=whole)
    assert (missed.why, missed.sale) == (why, "cs_1")
    assert missed.message == SessionPaid(
        account=ACCOUNT,
        session=SessionId("cs_1"),
        event=EventId("evt_1") if found else None,
        event_type="checkout.session.completed" if found else "",
        at=NOW if found else made,
        origin="recovery",
        reason=why.value,
    )


def test_the_log_is_read_no_further_than_it_takes() -> None:
    """Pages are asked for one by one, and none once the event was found or the time before the session is reached."""
    asked: list[int] = []

    def pages() -> Iterator[list[PaidEvent]]:
        for number in range(10):
            asked.append(number)
            yield [event(number, NOW - timedelta(hours=number), of=number)]

    log = PaidLog(pages())
    assert log.events({}) == {}
    assert asked == []
    assert log.events({SessionId("cs_2"): NOW - timedelta(hours=3)})[SessionId("cs_2")].id == "evt_2"
    assert asked == [0, 1, 2]
    made = NOW - timedelta(hours=4)
    assert log.events({SessionId("cs_unknown"): made}) == {}
    assert log.reaches(made)
    assert asked == [0, 1, 2, 3, 4, 5]


def test_a_log_that_is_too_long_leaves_the_rest_unknown() -> None:
    """After so many pages nothing more is read, and nothing is claimed of what was not."""
    log = PaidLog(iter([[event(n, NOW - timedelta(hours=n), of=n)] for n in range(10)]), most_pages=3)
    made = NOW - timedelta(hours=8)
    assert log.events({SessionId("cs_8"): made}) == {}
    assert not log.reaches(made)
    assert log.reaches(NOW - timedelta(hours=1))
