from __future__ import annotations

import pytest

from services.stock_worker.books import Books, Tx
from shared.alerts import AlertKey, OversoldSale
from shared.store.sales import Handled
from shared.vocabulary import AlertKind, EventId, MovementKind, SessionId
from tests.contract.books.samples import (
    ACCOUNT,
    AT,
    HAT,
    MUG,
    M,
    S,
    alert,
    booked,
    movement,
    on_hand,
    sale_of,
    stocked,
    unplaced,
)


def test_a_movement_counts_once(books: Books) -> None:
    """A movement moves the balance of its size the first time; its source key is told as new only then."""
    stocked(books)
    assert books.run(lambda tx: tx.movements.append([movement("a", 5), movement("b", -2, S)])) == {"a", "b"}
    assert books.run(lambda tx: tx.movements.append([movement("a", 5), movement("c", 1)])) == {"c"}
    assert books.run(lambda tx: tx.movements.append([])) == frozenset()
    assert on_hand(books) == {M: 6, S: -2}


def test_a_movement_that_comes_twice_at_once_counts_once(books: Books) -> None:
    """Two movements with one source key in one call are one."""
    stocked(books)
    books.run(lambda tx: tx.movements.append([movement("a", 5), movement("a", 5)]))
    assert on_hand(books) == {M: 5, S: 0}


def test_the_balance_is_seen_inside_the_transaction(books: Books) -> None:
    """Who appends sees the new balance before the transaction ends."""
    stocked(books)

    def work(tx: Tx) -> list[int]:
        tx.movements.append([movement("a", 5)])
        return [v.on_hand for v in tx.products.variants([MUG])]

    assert books.run(work) == [5, 0]


def test_a_movement_needs_its_size(books: Books) -> None:
    """A movement of a size that was never seen fails, and nothing of the call stays."""
    books.run(lambda tx: tx.products.create(MUG, "Mug"))
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the store calls it
        books.run(lambda tx: tx.movements.append([movement("a", 5)]))
    assert on_hand(books) == {}


def test_the_newest_sales_that_took_so_many_units(books: Books) -> None:
    """Sales of the size come newest first until the units are together; the last one is cut to what is left."""
    stocked(books)
    sold = [
        sale_of("1", 3, "cs_1"),
        sale_of("2", 2, "cs_2"),
        sale_of("x", 9, "cs_x", S),
        sale_of("3", 1, "cs_3"),
    ]
    for one in [*sold, movement("e", -7, kind=MovementKind.EXTERNAL)]:
        books.run(lambda tx, one=one: tx.movements.append([one]))
    found = books.run(lambda tx: tx.movements.newest_sales(MUG, M, units=4))
    assert found == [
        OversoldSale(SessionId("cs_3"), 1),
        OversoldSale(SessionId("cs_2"), 2),
        OversoldSale(SessionId("cs_1"), 1),
    ]
    assert books.run(lambda tx: tx.movements.newest_sales(MUG, M, units=1)) == found[:1]
    assert books.run(lambda tx: tx.movements.newest_sales(HAT, M, units=1)) == []


def test_a_session_is_booked_once(books: Books) -> None:
    """Recorded sessions are known; recording them again is harmless."""
    books.run(lambda tx: tx.sales.record([booked("cs_1"), booked("cs_2")]))
    books.run(lambda tx: tx.sales.record([booked("cs_2"), booked("cs_3")]))
    asked = [SessionId(f"cs_{n}") for n in (2, 3, 4)]
    assert books.run(lambda tx: tx.sales.booked(asked)) == {"cs_2", "cs_3"}
    assert books.run(lambda tx: tx.sales.booked([])) == set()


def test_a_line_is_held_once(books: Books) -> None:
    """Only lines that were not held before are told as new."""
    stocked(books)
    assert books.run(lambda tx: tx.sales.hold([unplaced("a"), unplaced("b")])) == {"a", "b"}
    assert books.run(lambda tx: tx.sales.hold([unplaced("b"), unplaced("c")])) == {"c"}
    assert books.run(lambda tx: tx.sales.hold([])) == set()


def test_deliveries_are_logged_again_and_again(books: Books) -> None:
    """An event may be logged as often as it comes, also twice at once."""
    came = Handled(ACCOUNT, EventId("evt_1"), "checkout.session.completed", "done", AT)
    books.run(lambda tx: tx.sales.log_deliveries([came, came]))
    books.run(lambda tx: tx.sales.log_deliveries([came]))


def test_an_alert_is_open_once(books: Books) -> None:
    """A second alert of an ordinary kind on a subject is no news; another kind or subject is."""
    first = books.run(lambda tx: tx.alerts.raise_([alert(AlertKind.LOW_STOCK)]))
    assert len(first) == 1
    assert books.run(lambda tx: tx.alerts.raise_([alert(AlertKind.LOW_STOCK)])) == []
    others = [alert(AlertKind.LOW_STOCK, "prod_mug/M"), alert(AlertKind.QUARANTINE)]
    assert len(set(books.run(lambda tx: tx.alerts.raise_(others))) - set(first)) == 2
    assert books.run(lambda tx: tx.alerts.open_alerts([MUG])) == {
        (AlertKind.LOW_STOCK, MUG),
        (AlertKind.QUARANTINE, MUG),
    }
    assert books.run(lambda tx: tx.alerts.open_alerts([HAT])) == set()


def test_an_alert_that_accumulates_is_told_again_as_the_same(books: Books) -> None:
    """Oversold units of one size are one alert, which people are told of each time it grows."""
    first = books.run(lambda tx: tx.alerts.raise_([alert(AlertKind.OVERSOLD)]))
    again = books.run(lambda tx: tx.alerts.raise_([alert(AlertKind.OVERSOLD)]))
    assert len(first) == 1
    assert again == first
    assert books.run(lambda tx: tx.alerts.open_alerts([MUG])) == {(AlertKind.OVERSOLD, MUG)}


def test_what_is_resolved_may_open_again(books: Books) -> None:
    """Resolving closes what is open under the key, once; the next alert is a new one."""
    (first,) = books.run(lambda tx: tx.alerts.raise_([alert(AlertKind.LOW_STOCK)]))
    key = AlertKey(AlertKind.LOW_STOCK, MUG)
    other = AlertKey(AlertKind.QUARANTINE, MUG)
    assert books.run(lambda tx: tx.alerts.resolve([key, other])) == 1
    assert books.run(lambda tx: tx.alerts.resolve([key])) == 0
    assert books.run(lambda tx: tx.alerts.open_alerts([MUG])) == set()
    (second,) = books.run(lambda tx: tx.alerts.raise_([alert(AlertKind.LOW_STOCK)]))
    assert second != first


def test_open_alerts_of_a_product_that_nobody_was_told_of(books: Books) -> None:
    """A product's open alerts are hinted again, resolved ones and those of other products are not."""
    raised = books.run(lambda tx: tx.alerts.raise_([alert(AlertKind.LOW_STOCK), alert(AlertKind.QUARANTINE)]))
    books.run(lambda tx: tx.alerts.resolve([AlertKey(AlertKind.QUARANTINE, MUG)]))
    untold = books.run(lambda tx: tx.alerts.untold(MUG))
    assert len(untold) == 1
    assert untold[0] in raised
    assert books.run(lambda tx: tx.alerts.untold(HAT)) == []
