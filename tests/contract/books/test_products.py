from __future__ import annotations

import pytest

from services.stock_worker.books import Books, Tx
from shared.store.products import VariantRow
from shared.vocabulary import ProductId
from tests.contract.books.conftest import Kept
from tests.contract.books.samples import HAT, MUG, M, S, movement, on_hand, row, stocked, variants


def test_a_product_that_was_never_seen_is_none_and_waits_for_a_sync(books: Books) -> None:
    """Of an unseen product there is no row, no state, no size; it counts as dirty."""
    assert books.run(lambda tx: tx.products.lock(MUG)) is None
    assert books.run(lambda tx: tx.products.is_dirty(MUG)) is True
    assert books.run(lambda tx: tx.products.states([MUG])) == {}
    assert variants(books, MUG) == []


def test_a_product_is_created_once_and_dirty(books: Books) -> None:
    """The first creation makes a dirty, tracked product of version 0; a second one changes nothing."""
    books.run(lambda tx: tx.products.create(MUG, "Mug"))
    first = row(books)
    assert (first.name, first.state, first.version, first.dirty) == ("Mug", "tracked", 0, True)
    assert (first.recover, first.take_over, first.threshold) == (False, False, None)
    books.run(lambda tx: tx.products.mark_clean(MUG))
    books.run(lambda tx: tx.products.create(MUG, "Another name"))
    assert row(books).name == "Mug"
    assert not row(books).dirty


def test_the_version_grows_by_each_observation(books: Books) -> None:
    """Every `next_version` of a product is one more, and of no other product."""
    stocked(books)
    stocked(books, HAT)
    before = row(books).version
    for _ in range(3):
        books.run(lambda tx: tx.products.next_version(MUG))
    assert row(books).version == before + 3
    assert row(books, HAT).version == 0


@pytest.mark.parametrize("state", ["untracked", "quarantined", "closed", "tracked"])
def test_a_state_is_kept(books: Books, state: str) -> None:
    """A product is in the state that it was put into, seen by row and by list."""
    stocked(books)
    books.run(lambda tx: tx.products.set_state(MUG, state, reason="because"))
    assert row(books).state == state
    assert books.run(lambda tx: tx.products.states([MUG, HAT])) == {MUG: state}


def test_what_touches_an_unseen_product_is_harmless(books: Books) -> None:
    """State, version, marks and recovery of a product that was never seen change nothing."""

    def work(tx: Tx) -> None:
        tx.products.set_state(MUG, "closed")
        tx.products.next_version(MUG)
        tx.products.mark_dirty([MUG])
        tx.products.mark_clean(MUG, name="Mug")
        tx.products.set_recover(MUG, recover=True)
        tx.products.taken_over(MUG)
        tx.products.lock_all([MUG])

    books.run(work)
    assert books.run(lambda tx: tx.products.lock(MUG)) is None


def test_saving_sizes_keeps_balance_and_opening(books: Books) -> None:
    """A size changes its state; what is on hand and that it was opened stay."""
    stocked(books)
    books.run(lambda tx: tx.movements.append([movement("a", 7)]))
    books.run(lambda tx: tx.products.save_sizes(MUG, {M: "missing"}, opened=()))
    assert variants(books, MUG) == [
        VariantRow(MUG, M, 7, "missing", opened=True, threshold=None),
        VariantRow(MUG, S, 0, "managed", opened=True, threshold=None),
    ]


def test_a_size_is_opened_later_than_seen(books: Books) -> None:
    """A new size starts at 0, unopened; only the sizes named in `opened` are."""
    books.run(lambda tx: tx.products.create(MUG, "Mug"))
    books.run(lambda tx: tx.products.save_sizes(MUG, {M: "unreadable", S: "managed"}, opened=[S]))
    assert [(v.on_hand, v.state, v.opened) for v in variants(books, MUG)] == [
        (0, "unreadable", False),
        (0, "managed", True),
    ]
    books.run(lambda tx: tx.products.save_sizes(MUG, {M: "managed"}, opened=[M]))
    assert [v.opened for v in variants(books, MUG)] == [True, True]


def test_sizes_come_by_product_and_size(books: Books) -> None:
    """The sizes of several products are sorted, those of others left out."""
    stocked(books, MUG)
    stocked(books, HAT)
    stocked(books, ProductId("prod_other"))
    found = [(v.product_id, v.size) for v in variants(books, MUG, HAT)]
    assert found == [(HAT, M), (HAT, S), (MUG, M), (MUG, S)]


def test_a_size_needs_its_product(books: Books) -> None:
    """Sizes of a product that was never seen cannot be saved."""
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the store calls it
        books.run(lambda tx: tx.products.save_sizes(MUG, {M: "managed"}, opened=()))
    assert variants(books, MUG) == []


def test_dirty_and_clean(books: Books) -> None:
    """Products are dirty from the mark until they are clean; the name comes with the clean mark."""
    stocked(books)
    stocked(books, HAT)
    books.run(lambda tx: tx.products.mark_dirty([MUG]))
    books.run(lambda tx: tx.products.mark_dirty([MUG]))
    assert books.run(lambda tx: (tx.products.is_dirty(MUG), tx.products.is_dirty(HAT))) == (True, False)
    assert row(books).dirty
    books.run(lambda tx: tx.products.mark_clean(MUG, name="Big mug"))
    assert (row(books).name, row(books).dirty) == ("Big mug", False)
    books.run(lambda tx: tx.products.mark_clean(MUG))
    assert row(books).name == "Big mug"


def test_recovery_is_asked_for_and_over(kept: Kept) -> None:
    """A restored backup makes a product dirty and one to recover, until its event log was read."""
    stocked(kept.books)
    kept.recover(MUG)
    assert (row(kept.books).recover, row(kept.books).dirty) == (True, True)
    kept.books.run(lambda tx: tx.products.set_recover(MUG, recover=False))
    assert not row(kept.books).recover


def test_locking_all_takes_unseen_products_too(books: Books) -> None:
    """Several products are locked, seen or not, in whatever order they are named."""
    stocked(books)
    books.run(lambda tx: tx.products.lock_all([MUG, HAT]))
    assert on_hand(books) == {M: 0, S: 0}
