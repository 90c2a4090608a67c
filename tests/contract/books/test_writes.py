from __future__ import annotations

from datetime import timedelta

import pytest

from services.stock_worker.books import Books, Tx
from shared.store.writes import Revs, Superseded
from shared.writes import WriteState
from tests.contract.books.conftest import Kept
from tests.contract.books.samples import AT, HAT, MUG, M, S, planned, revs, stocked, write


@pytest.fixture(autouse=True)
def _two_products(kept: Kept) -> None:
    """Writes need their products."""
    stocked(kept.books, MUG)
    stocked(kept.books, HAT)


def test_a_write_is_kept_as_it_was_planned(books: Books) -> None:
    """A pending write is found by product, key and marker, its body in its order."""
    assert books.run(lambda tx: tx.writes.pending(MUG)) is None
    planned(books, write(1))
    found = books.run(lambda tx: tx.writes.pending(MUG))
    assert found is not None
    assert found == write(1)
    assert list(found.body) == list(write(1).body)
    assert books.run(lambda tx: tx.writes.by_key(write(1).key)) == found
    assert books.run(lambda tx: tx.writes.by_marker(write(1).marker)) == found
    assert books.run(lambda tx: tx.writes.pending(HAT)) is None


def test_what_was_never_written_is_not_found(books: Books) -> None:
    """Unknown keys and markers name no write."""
    assert books.run(lambda tx: tx.writes.by_key("key")) is None
    assert books.run(lambda tx: tx.writes.by_marker("marker")) is None
    assert books.run(lambda tx: tx.writes.since_last(MUG)) is None
    assert revs(books) == Revs(0, 0, unexplained=False)


def test_only_one_write_is_pending(books: Books) -> None:
    """A second pending write of a product fails and leaves the first; another product may have its own."""
    planned(books, write(1))
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the store calls it
        planned(books, write(2))
    planned(books, write(1, HAT))
    assert books.run(lambda tx: tx.writes.pending(MUG)) == write(1)
    assert revs(books).highest == 1


def test_a_rev_is_used_once(books: Books) -> None:
    """A write with the rev of an earlier one fails."""
    planned(books, write(1), WriteState.CANCELLED)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the store calls it
        planned(books, write(1))


@pytest.mark.parametrize("state", [state for state in WriteState if state is not WriteState.PENDING])
def test_a_write_leaves_pending_once(books: Books, state: WriteState) -> None:
    """The first who moves a pending write on does so, the second does not; only APPLIED means landed."""
    planned(books, write(1))
    assert books.run(lambda tx: tx.writes.leave_pending(write(1), state, "yes")) is True
    assert books.run(lambda tx: tx.writes.leave_pending(write(1), WriteState.APPLIED, "no")) is False
    assert books.run(lambda tx: tx.writes.pending(MUG)) is None
    found = books.run(lambda tx: tx.writes.by_key(write(1).key))
    assert found is not None
    assert found.landed is (state is WriteState.APPLIED)
    assert revs(books).landed == int(state is WriteState.APPLIED)


def test_an_unknown_write_does_not_leave_pending(books: Books) -> None:
    """A write that is not kept cannot be moved on."""
    assert books.run(lambda tx: tx.writes.leave_pending(write(9), WriteState.APPLIED, "")) is False


def test_landed_and_digested_stay(books: Books) -> None:
    """A write that landed stays so, and one that was digested stays digested."""
    planned(books, write(1))
    books.run(lambda tx: tx.writes.mark_landed(write(1)))
    books.run(lambda tx: tx.writes.leave_pending(write(1), WriteState.SETTLED, "unknown"))
    found = books.run(lambda tx: tx.writes.by_key(write(1).key))
    assert found is not None
    assert (found.landed, found.digested) == (True, False)
    books.run(lambda tx: tx.own_events.mark_digested(write(1), AT))
    books.run(lambda tx: tx.writes.mark_landed(write(1)))
    found = books.run(lambda tx: tx.writes.by_marker(write(1).marker))
    assert found is not None
    assert (found.landed, found.digested) == (True, True)


def test_revs_are_the_highest(books: Books) -> None:
    """The highest rev counts whatever became of it, the highest landed one only where it landed."""
    planned(books, write(1), WriteState.APPLIED)
    planned(books, write(2), WriteState.CANCELLED)
    planned(books, write(5, HAT), WriteState.APPLIED)
    assert revs(books) == Revs(2, 1, unexplained=False)


def test_a_settled_write_is_unexplained_until_looked_up(books: Books) -> None:
    """A write of unknown fate is to be looked up at once, and once."""
    planned(books, write(1), WriteState.SETTLED)
    assert revs(books).unexplained
    books.run(lambda tx: tx.own_events.mark_looked_up(HAT))
    assert revs(books).unexplained
    books.run(lambda tx: tx.own_events.mark_looked_up(MUG))
    assert not revs(books).unexplained


@pytest.mark.parametrize("landed", [True, False])
def test_a_settled_write_that_landed_is_explained(books: Books, landed: bool) -> None:
    """A settled write whose marker was seen is no riddle."""
    planned(books, write(1), WriteState.SETTLED)
    if landed:
        books.run(lambda tx: tx.writes.mark_landed(write(1)))
    assert revs(books).unexplained is not landed


def test_a_landed_writes_event_is_missed_after_ten_minutes(kept: Kept) -> None:
    """The own event of a landed write may take ten minutes; then it is to be looked up, and once."""
    planned(kept.books, write(1), WriteState.APPLIED)
    kept.age(timedelta(minutes=9))
    assert not revs(kept.books).unexplained
    kept.books.run(lambda tx: tx.own_events.mark_looked_up(MUG))  # too early: it may still come
    kept.age(timedelta(minutes=2))
    assert revs(kept.books).unexplained
    kept.books.run(lambda tx: tx.own_events.mark_looked_up(MUG))
    assert not revs(kept.books).unexplained


def test_a_digested_write_is_never_missed(kept: Kept) -> None:
    """A write whose event was digested needs no look-up, however old it is."""
    planned(kept.books, write(1), WriteState.APPLIED)
    kept.books.run(lambda tx: tx.own_events.mark_digested(write(1), AT))
    kept.age(timedelta(hours=1))
    assert not revs(kept.books).unexplained


def test_a_write_expires_before_stripe_forgets_its_key(kept: Kept) -> None:
    """A write is expired after 20 hours, not before."""
    planned(kept.books, write(1))
    kept.age(timedelta(hours=19))
    fresh = kept.books.run(lambda tx: tx.writes.pending(MUG))
    kept.age(timedelta(hours=2))
    old = kept.books.run(lambda tx: tx.writes.pending(MUG))
    assert fresh is not None
    assert old is not None
    assert (fresh.expired, old.expired) == (False, True)


def test_the_time_since_the_last_write_is_of_the_highest_rev(kept: Kept) -> None:
    """Seconds are counted from the newest write of this product."""
    planned(kept.books, write(1), WriteState.APPLIED)
    kept.age(timedelta(seconds=100))
    planned(kept.books, write(2), WriteState.APPLIED)
    kept.age(timedelta(seconds=50))
    since = kept.books.run(lambda tx: tx.writes.since_last(MUG))
    assert since is not None
    assert 50 <= since < 90


def test_the_state_known_under_a_marker_is_the_last_one(books: Books) -> None:
    """Each marker of each product has its own last state; an unknown marker has none."""

    def work(tx: Tx) -> None:
        tx.writes.append_known(MUG, "", units={M: 1})
        tx.writes.append_known(MUG, "a", units={M: 2})
        tx.writes.append_known(MUG, "a", units={M: 3, S: 0})
        tx.writes.append_known(HAT, "a", units={})

    books.run(work)
    for product, marker, units in (
        (MUG, "", {M: 1}),
        (MUG, "a", {M: 3, S: 0}),
        (HAT, "a", {}),
        (HAT, "", None),
    ):
        assert books.run(lambda tx, p=product, m=marker: tx.writes.last_known(p, m)) == units


def test_a_forgotten_write_is_reconstructed(kept: Kept) -> None:
    """A write that only the event log knows is kept as executed long ago, beside a pending one."""
    planned(kept.books, write(1))
    kept.books.run(lambda tx: tx.writes.reconstruct(write(4)))
    found = kept.books.run(lambda tx: tx.writes.by_key(write(4).key))
    assert found is not None
    assert (found.marker, found.digested, found.expired) == (write(4).marker, False, True)
    assert kept.books.run(lambda tx: tx.writes.pending(MUG)) == write(1)
    assert revs(kept.books).highest == 4
    kept.books.run(lambda tx: tx.own_events.mark_digested(write(4), AT))
    assert revs(kept.books) == Revs(4, 4, unexplained=False)


def test_a_reconstructed_write_is_not_the_last_one_sent(kept: Kept) -> None:
    """A write of a former life never holds up the next one."""
    kept.books.run(lambda tx: tx.writes.reconstruct(write(4)))
    since = kept.books.run(lambda tx: tx.writes.since_last(MUG))
    assert since is None or since > 3600


def test_fault_19_books_that_go_on_under_another_id_are_noticed(kept: Kept) -> None:
    """A process that knows a former id may change nothing that rests on it; the new one may."""
    kept.renew("one")
    kept.books.run(lambda tx: tx.writes.hold_installation("one"))
    kept.renew("two")
    with pytest.raises(Superseded):
        kept.books.run(lambda tx: tx.writes.hold_installation("one"))
    kept.books.run(lambda tx: tx.writes.hold_installation("two"))
