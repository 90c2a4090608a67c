from __future__ import annotations

import pytest

from services.stock_worker.books import Books, Tx
from shared.alerts import AlertKey
from shared.vocabulary import AlertKind, SessionId
from shared.writes import WriteState
from tests.contract.books.samples import (
    AT,
    HAT,
    MUG,
    M,
    S,
    alert,
    booked,
    movement,
    on_hand,
    planned,
    revs,
    row,
    stocked,
    unplaced,
    write,
)


class Undone(Exception):
    """What a block raises whose work is to be undone."""


def everything(tx: Tx) -> None:
    """Change whatever can be changed."""
    tx.products.create(HAT, "Hat")
    tx.products.save_sizes(HAT, {M: "managed"}, opened=[M])
    tx.products.save_sizes(MUG, {M: "missing"}, opened=())
    tx.products.set_state(MUG, "quarantined", reason="because")
    tx.products.next_version(MUG)
    tx.products.mark_dirty([MUG])
    tx.products.set_recover(MUG, recover=True)
    tx.own_events.mark_digested(write(1), AT)
    tx.writes.insert(write(2))
    tx.writes.append_known(MUG, "a", units={M: 1})
    tx.writes.append_known(MUG, "a", units={M: 2})
    tx.movements.append([movement("a", 5), movement("b", 1)])
    tx.sales.record([booked("cs_1")])
    tx.sales.hold([unplaced("u")])
    tx.alerts.raise_([alert(AlertKind.LOW_STOCK), alert(AlertKind.OVERSOLD)])
    tx.alerts.resolve([AlertKey(AlertKind.QUARANTINE, MUG)])


def state(books: Books) -> tuple[object, ...]:
    """Everything that `everything` changes."""
    return books.run(
        lambda tx: (
            tx.products.lock(MUG),
            tx.products.lock(HAT),
            tx.products.variants([MUG, HAT]),
            tx.writes.pending(MUG),
            tx.writes.by_key(write(1).key),
            tx.writes.revs(MUG),
            tx.writes.last_known(MUG, "a"),
            tx.sales.booked([SessionId("cs_1")]),
            tx.alerts.open_alerts([MUG]),
        )
    )


@pytest.fixture
def used(books: Books) -> Books:
    """Books that something stands in already."""
    stocked(books)
    planned(books, write(1), WriteState.APPLIED)
    books.run(lambda tx: tx.alerts.raise_([alert(AlertKind.QUARANTINE)]))
    return books


def fail(tx: Tx) -> None:
    """Change everything, then raise."""
    everything(tx)
    raise Undone


def test_what_raises_is_undone(used: Books) -> None:
    """Nothing of a transaction that raises is kept, and the error is the block's own."""
    before = state(used)
    with pytest.raises(Undone):
        used.run(fail)
    assert state(used) == before
    with used.sitting() as sitting:
        with pytest.raises(Undone), sitting.transaction() as tx:
            fail(tx)
        with sitting.transaction() as tx:
            everything(tx)
    assert state(used) != before


def test_what_is_undone_may_be_done_again(used: Books) -> None:
    """Source keys, lines and alerts of an undone transaction are new again."""
    with pytest.raises(Undone):
        used.run(fail)
    assert used.run(lambda tx: tx.movements.append([movement("a", 5)])) == {"a"}
    assert used.run(lambda tx: tx.sales.hold([unplaced("u")])) == {"u"}
    assert len(used.run(lambda tx: tx.alerts.raise_([alert(AlertKind.LOW_STOCK)]))) == 1
    assert on_hand(used) == {M: 5, S: 0}


def test_a_committed_transaction_is_seen_by_others(used: Books) -> None:
    """What one connection committed, the next one reads."""
    with used.sitting() as sitting, sitting.transaction() as tx:
        everything(tx)
    with used.sitting() as other, other.transaction() as tx:
        assert tx.writes.pending(MUG) == write(2)
    assert (row(used).state, revs(used).highest) == ("quarantined", 2)


def test_run_answers_what_the_work_answers(books: Books) -> None:
    """The result of the work is the result of the run."""
    answer = object()
    assert books.run(lambda tx: answer if tx.products.is_dirty(MUG) else None) is answer


def test_a_lock_is_held_by_one(books: Books) -> None:
    """A product's lock is free for nobody else until it is let go; another product's is."""
    with books.sitting() as one, books.sitting() as other:
        assert one.try_lock(MUG)
        assert not other.try_lock(MUG)
        assert other.try_lock(HAT)
        one.unlock(MUG)
        assert other.try_lock(MUG)
        assert not one.try_lock(MUG)


def test_nobody_unlocks_for_another(books: Books) -> None:
    """Letting go of a lock that another holds changes nothing."""
    with books.sitting() as one, books.sitting() as other:
        assert one.try_lock(MUG)
        other.unlock(MUG)
        assert not other.try_lock(MUG)


def test_a_lock_outlives_transactions(books: Books) -> None:
    """Transactions on its connection, also failing ones, leave a lock in place."""
    with books.sitting() as one, books.sitting() as other:
        assert one.try_lock(MUG)
        with one.transaction() as tx:
            tx.products.create(MUG, "Mug")
        with pytest.raises(Undone), one.transaction():
            raise Undone
        assert not other.try_lock(MUG)


def test_a_lock_ends_with_its_connection(books: Books) -> None:
    """What a sitting left locked is free once it ends."""
    with books.sitting() as one:
        assert one.try_lock(MUG)
    with books.sitting() as other:
        assert other.try_lock(MUG)


def lock_and_fail(books: Books) -> None:
    """Die with a lock in hand."""
    with books.sitting() as sitting:
        assert sitting.try_lock(MUG)
        raise Undone


def test_a_lock_ends_with_an_error(books: Books) -> None:
    """What a sitting left locked is free also where an error ended it."""
    with pytest.raises(Undone):
        lock_and_fail(books)
    with books.sitting() as other:
        assert other.try_lock(MUG)
