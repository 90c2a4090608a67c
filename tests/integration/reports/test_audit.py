from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg.sql import SQL

from services.backoffice.operations.reports.audit import Audit, audit, erase
from services.backoffice.operations.reports.products import Unclear
from shared import clock
from shared.database.pool import Database
from shared.periods import Period
from shared.store.sales import Buyer, Sale, Sales
from shared.vocabulary import MovementKind, ProductId, SessionId, Size
from tests.integration.reports.conftest import Place
from tests.integration.reports.ledger import Entry, append
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.command import Command

PLAIN = Size("")


def since(begins: datetime) -> Period:
    """From then until in a while."""
    return Period(begins, clock.now() + timedelta(hours=1))


def paid(shop: Shop, *lines: dict[str, Any], customer: str | None = None) -> SessionId:
    """A session that a customer paid."""
    wanted: Any = {"mode": "payment", "success_url": "https://shop.example", "line_items": list(lines)}
    session = shop.stripe.v1.checkout.sessions.create(
        wanted | ({"customer": customer} if customer else {})
    ).id
    shop.control(f"/_checkout/sessions/{session}/pay")
    return SessionId(session)


@pytest.fixture(scope="module")
def began() -> datetime:
    """Before anything happened."""
    return clock.now()


@pytest.fixture(scope="module")
def mug(shop: Shop, began: datetime) -> ProductId:
    """A mug of which twenty were there, and thirteen more came."""
    assert began
    product = shop.product(stock="20")
    shop.sync(product)
    shop.dashboard(product, stock="33")
    shop.sync(product)
    return product


@pytest.fixture(scope="module")
def sales(shop: Shop, mug: ProductId) -> tuple[SessionId, ...]:
    """Two sessions: two mugs by a known customer beside a gift card, one mug beside a shirt in no size."""
    card, shirt = shop.product(category="gift"), shop.product(sizes="M,L", stock_M="5", stock_L="5")
    first = paid(shop, shop.line(mug, "", 2), shop.line(card, ""), customer="cus_Ann")
    second = paid(shop, shop.line(mug, "", 1), shop.line(shirt, "XS", 3))
    shop.book(first, second)
    return first, second


def found(place: Place, began: datetime) -> Audit:
    """The audit of everything since `began`."""
    return audit(place.ledger, since(began))


def test_what_was_booked_adds_up(
    place: Place, began: datetime, mug: ProductId, sales: tuple[SessionId, ...]
) -> None:
    """Balances lead from first to last by kind, each session shows its lines, held lines why; nothing is wrong."""
    made = found(place, began)
    (cup,) = [one for one in made.balances if one.product == mug]
    assert (cup.opening, dict(cup.kinds), cup.closing) == (0, {"opening": 20, "sale": -3, "external": 13}, 30)
    assert {(one.session, one.product, one.units, one.customer) for one in made.sold} == {
        (sales[0], mug, 2, "cus_Ann"),
        (sales[1], mug, 1, None),
    }
    assert {one.origin for one in made.sold} == {"webhook"}
    ((held),) = made.held
    assert (held.session, held.units, held.size, held.state) == (sales[1], 3, "XS", "open")
    assert made.problems == ()


def test_a_later_period_begins_where_the_earlier_ended(
    place: Place, began: datetime, mug: ProductId, sales: tuple[SessionId, ...]
) -> None:
    """Movements before the period are its opening balance."""
    assert sales
    with place.shop.database.transaction() as connection:
        row = connection.execute("select max(at) from movement where kind = 'external'").fetchone()
    assert row is not None
    (cup,) = [one for one in found(place, row[0]).balances if one.product == mug]
    assert (cup.opening, dict(cup.kinds), cup.closing) == (17, {"external": 13}, 30)
    assert [one.opening for one in audit(place.ledger, Period(began, row[0])).balances] == [0, 0, 0]


def test_the_command_says_that_all_is_well(command: Command, sales: tuple[SessionId, ...]) -> None:
    """The exit code is 0, and people see sessions, customers and what is held."""
    answer = command("audit")
    shown = answer.stdout
    assert answer.returncode == 0, answer.stderr
    assert "everything adds up" in shown
    assert all(session in shown.replace("\n", "") for session in sales)
    assert "cus_Ann" in shown
    assert "buyer@example.com" not in shown


def test_a_movement_without_its_sale_is_found(
    place: Place, command: Command, mug: ProductId, sales: tuple[SessionId, ...]
) -> None:
    """A sale in the ledger that nobody booked is a problem, and the exit code says so."""
    assert sales
    begins = clock.now()
    append(place.shop.database, [Entry(mug, PLAIN, -1, MovementKind.SALE, clock.now(), "cs_ghost")])
    assert found(place, begins).problems == ("session cs_ghost: a movement, but the sale is not booked",)
    answer = command("audit", "--json", "--since", begins.isoformat())
    assert answer.returncode == 1
    assert len(json.loads(answer.stdout)["problems"]) == 1
    assert "cs_ghost" in command("audit", "--since", begins.isoformat()).stdout


@pytest.mark.parametrize(
    ("lines", "skipped", "wrong"),
    [(1, 0, False), (2, 1, False), (2, None, False), (2, 0, True), (0, None, True), (0, 0, True)],
)
def test_a_session_that_lost_a_line_is_found(
    place: Place, mug: ProductId, lines: int, skipped: int | None, *, wrong: bool
) -> None:
    """Lines, movements and what takes no stock must agree; where the last was not noted, too much is still found."""
    begins, session = clock.now(), SessionId(f"cs_{lines}_{skipped}")
    with place.shop.database.transaction() as connection:
        Sales(connection, ACCOUNT).record(
            [Sale(ACCOUNT, session, "webhook", None, begins, lines, 0, skipped=skipped)]
        )
    append(place.shop.database, [Entry(mug, PLAIN, -1, MovementKind.SALE, clock.now(), session)])
    problems = found(place, begins).problems
    assert [problem.startswith(f"session {session}: of {lines} lines 1 moved") for problem in problems] == [
        True
    ] * wrong


@contextmanager
def tampered(database: Database, how: str, back: str) -> Generator[None]:
    """Somebody changes a table by hand, for a while."""
    with database.transaction() as connection:
        assert connection.execute(SQL(how)).rowcount  # pyright: ignore[reportArgumentType] - a literal of a test
    yield
    with database.transaction() as connection:
        connection.execute(SQL(back))  # pyright: ignore[reportArgumentType] - a literal of a test


def test_a_balance_that_no_movement_made_is_found(
    place: Place, began: datetime, sales: tuple[SessionId, ...]
) -> None:
    """A balance that was changed by hand differs from the sum of all movements."""
    assert sales
    move = "update variant set on_hand = on_hand {} 1 where size = ''"
    with tampered(place.shop.database, move.format("+"), move.format("-")):
        assert any("the balance kept is" in problem for problem in found(place, began).problems)
    assert not any("the balance kept is" in problem for problem in found(place, began).problems)


def test_a_line_that_is_placed_only_in_name_is_found(
    place: Place, began: datetime, sales: tuple[SessionId, ...]
) -> None:
    """A held line that counts as placed and moved nothing is a problem."""
    state = "update unplaced_sale set state = '{}'"
    with tampered(place.shop.database, state.format("placed"), state.format("open")):
        assert f"session {sales[1]}: a held line and its movement disagree" in str(
            found(place, began).problems
        )


def test_a_period_that_ends_first_is_refused(place: Place) -> None:
    """Since must be before until."""
    now = clock.now()
    with pytest.raises(Unclear, match="ends before it begins"):
        audit(place.ledger, Period(now, now))


def test_names_are_kept_only_where_the_shop_wants_it(
    place: Place, mug: ProductId, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the setting only the customer's id is kept, with it name and address too, and never in a log."""
    begins = clock.now()
    shop = place.shop
    shop.book(paid(shop, shop.line(mug, ""), customer="cus_Ben"))
    keeping = replace(shop, deps=replace(shop.deps, keep_customers=True))
    keeping.book(paid(shop, shop.line(mug, ""), customer="cus_Ben"))
    sold = found(place, begins).sold
    assert [(one.customer, one.buyer, one.email) for one in sold] == [
        ("cus_Ben", None, None),
        ("cus_Ben", "Jenny Rosen", "buyer@example.com"),
    ]
    told = capsys.readouterr()
    assert "sale_booked" in told.out + told.err
    assert "Jenny" not in told.out + told.err + repr(sold)
    assert "buyer@" not in told.out + told.err + repr(sold)


def test_erasing_a_customer_leaves_the_movement(place: Place, command: Command, mug: ProductId) -> None:
    """By id or by address, everything that is the same person's is forgotten, and nothing of anybody else's."""
    begins = clock.now()
    people = {
        "cs_e1": ("cus_Eve", "Eve", "eve@example.com"),
        "cs_e2": ("cus_Eve", None, None),
        "cs_e3": (None, "Eve\0 E.", "EVE@example.com"),
        "cs_f": ("cus_Fay", "Fay", "fay@example.com"),
    }
    made = [
        Sale(
            ACCOUNT, SessionId(s), "webhook", None, begins, 1, 0, skipped=0, customer=customer,
            buyer=Buyer(name, email) if name else None,
        )
        for s, (customer, name, email) in people.items()
    ]  # fmt: skip
    with place.shop.database.transaction() as connection:
        Sales(connection, ACCOUNT).record(made)
    append(place.shop.database, [Entry(mug, PLAIN, -1, MovementKind.SALE, clock.now(), s) for s in people])
    answer = command("customers", "erase", "eve@EXAMPLE.com", "--yes")
    assert answer.stdout == "erased from 3 sales; Stripe keeps its own record\n"
    sold = found(place, begins).sold
    assert [(one.session, one.units, one.customer, one.buyer, one.email) for one in sold] == [
        ("cs_e1", 1, None, None, None),
        ("cs_e2", 1, None, None, None),
        ("cs_e3", 1, None, None, None),
        ("cs_f", 1, "cus_Fay", "Fay", "fay@example.com"),
    ]
    assert erase(place.ledger, "cus_Fay") == 1
    for nobody in ("cus_Eve", "eve@example.com", ""):
        with pytest.raises(Unclear, match="no sale"):
            erase(place.ledger, nobody)
