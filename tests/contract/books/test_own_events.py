from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.stock_worker.books import Books
from shared.store.own_events import Tail
from shared.writes import WriteState
from tests.contract.books.conftest import Kept
from tests.contract.books.samples import AT, HAT, MUG, planned, stocked, write


@pytest.fixture(autouse=True)
def _two_products(kept: Kept) -> None:
    """Writes need their products."""
    stocked(kept.books, MUG)
    stocked(kept.books, HAT)


def test_an_earlier_write_waits_for_its_event(books: Books) -> None:
    """Only earlier writes of the product count, that landed and were not digested."""
    planned(books, write(1), WriteState.APPLIED)
    planned(books, write(2), WriteState.APPLIED)
    planned(books, write(7, HAT), WriteState.APPLIED)
    assert books.run(lambda tx: tx.own_events.undigested_before(write(1))) is False
    assert books.run(lambda tx: tx.own_events.undigested_before(write(2))) is True
    books.run(lambda tx: tx.own_events.mark_digested(write(1), AT))
    assert books.run(lambda tx: tx.own_events.undigested_before(write(2))) is False


def test_a_write_that_did_not_land_is_waited_for_by_none(books: Books) -> None:
    """A cancelled write has no event."""
    planned(books, write(1), WriteState.CANCELLED)
    assert books.run(lambda tx: tx.own_events.undigested_before(write(2))) is False


@pytest.mark.parametrize("restored", [True, False])
def test_the_log_is_read_from_before_what_waits_for_an_event(kept: Kept, restored: bool) -> None:
    """The event log is asked for times with a zone, early enough for every write that waits for its event."""
    planned(kept.books, write(1), WriteState.APPLIED)
    kept.age(timedelta(days=8))
    since = kept.books.run(lambda tx: tx.own_events.log_since(MUG, restored=restored))
    assert since <= datetime.now(UTC) - timedelta(days=8)


def tail(kept: Kept) -> Tail:
    """What the books say of the end of the mug's event log."""
    return kept.books.run(lambda tx: tx.own_events.tail(MUG))


def test_no_event_is_owed_once_all_were_seen(kept: Kept) -> None:
    """Of a product whose writes were all digested, or never executed, nothing is older than the last of them."""
    assert tail(kept) == Tail(owed=False, since=None)
    planned(kept.books, write(1), WriteState.APPLIED)
    planned(kept.books, write(2), WriteState.CANCELLED)
    kept.books.run(lambda tx: tx.own_events.mark_digested(write(1), AT))
    assert tail(kept) == Tail(owed=False, since=AT)


def test_owed_events_come_after_the_last_write_that_was_digested(kept: Kept) -> None:
    """The newest digested write before the first that was not says where its events begin; none: nobody knows."""
    planned(kept.books, write(1), WriteState.APPLIED)
    assert tail(kept) == Tail(owed=True, since=None)
    for rev in (2, 3, 4, 5):
        planned(kept.books, write(rev), WriteState.APPLIED)
    for rev in (1, 2, 4):
        kept.books.run(lambda tx, rev=rev: tx.own_events.mark_digested(write(rev), AT + timedelta(hours=rev)))
    assert tail(kept) == Tail(owed=True, since=AT + timedelta(hours=2))


def test_a_write_of_unknown_fate_is_owed_its_event_until_it_is_looked_up(kept: Kept) -> None:
    """A SETTLED write may have executed; once the log was asked, no event is expected any more."""
    planned(kept.books, write(1), WriteState.SETTLED)
    assert tail(kept).owed
    kept.books.run(lambda tx: tx.own_events.mark_looked_up(MUG))
    assert not tail(kept).owed
