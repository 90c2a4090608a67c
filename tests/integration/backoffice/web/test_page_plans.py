from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar, Self

import psycopg
import pytest
from psycopg.abc import Params, Query
from psycopg.rows import tuple_row

from services.backoffice.operations.reports import journal_pages as operations
from shared import clock
from shared.database.pool import Database
from shared.store.journal_pages import NEWEST, NEWEST_SALE, JournalPages, Mark, Sought
from shared.store.product_pages import ProductPages
from shared.store.refunds import Refunds
from shared.vocabulary import MovementKind, Size
from tests.support.pages import ACCOUNT
from tests.support.past import SHIRT, stock
from tests.support.postgres import fresh_database


class Explained(psycopg.Cursor[Any]):
    """A cursor that notes the plan of what it executes."""

    plans: ClassVar[list[str]] = []

    def execute(self, query: Query, params: Params | None = None, **options: bool | None) -> Self:
        """Explain it, then do it."""
        with psycopg.Cursor(self.connection, row_factory=tuple_row) as plain:
            text = query if isinstance(query, bytes) else str(query).encode()
            plain.execute(b"explain " + text, params)
            self.plans.append("\n".join(row[0] for row in plain.fetchall()))
        return super().execute(query, params, **options)  # pyright: ignore[reportArgumentType] - prepare and binary


@pytest.fixture(scope="module")
def large(postgres: str) -> Iterator[psycopg.Connection[Any]]:
    """A ledger of 60,000 sales and 20,000 refunds, with little else between them, and a cursor that notes plans."""
    with fresh_database(postgres) as dsn:
        database = Database(dsn, name="tests", size=2)
        stock(database)
        database.close()
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                """
                insert into sale (account, session_id, origin, created_at, booked_at, lines)
                select 'self:test', 'cs_' || n, case when n % 5000 = 1 then 'recovery' else 'webhook' end,
                    now() - n * interval '1 minute', now() - n * interval '1 minute', 1
                from generate_series(1, 60000) n
                """
            )
            connection.execute(
                """
                insert into movement (account, product_id, size, delta, kind, source_key, session_id, actor, at)
                select 'self:test', 'prod_shirt', 'M', -1, case when n % 5000 = 0 then 'restock' else 'sale' end,
                    'key ' || n, 'cs_' || n, 'stripe', now() - n * interval '1 minute'
                from generate_series(1, 60000) n
                """
            )
            connection.execute(
                """
                insert into refund
                    (account, refund_id, session_id, kind, likeness, amount, currency, state, proposed_at)
                select 'self:test', 're_' || n, 'cs_' || n, 'full', 'all', 100, 'eur',
                    case when n % 1000 = 0 then 'open' else 'accepted' end, now() - n * interval '1 minute'
                from generate_series(1, 20000) n
                """
            )
            connection.execute("analyze")
            connection.cursor_factory = Explained
            yield connection


def test_no_page_reads_the_whole_ledger(large: psycopg.Connection[Any]) -> None:
    """The queries of the pages follow indexes to what they show; one that does not is noticed."""
    pages, now = JournalPages(large, ACCOUNT), clock.now()
    middle = Mark(now - timedelta(days=20), "30000")
    Explained.plans.clear()
    for sought in (
        Sought(),
        Sought(SHIRT),
        Sought(SHIRT, Size("M")),
        Sought(SHIRT, None, MovementKind.RESTOCK),
        Sought(None, None, MovementKind.SALE),
        Sought(None, None, MovementKind.RESTOCK),
    ):
        for before in (NEWEST, middle):
            assert pages.movements(sought, before, operations.PAGE + 1)
            pages.looked_until(sought, before)
    for before in (NEWEST_SALE, Mark(middle.at, "cs_30000")):
        for recovered in (False, True):
            found = pages.sales(before, None, operations.PAGE + 1, recovered=recovered)
            assert pages.sold([one.session for one in found])
    pages.of_session(found[0].session)  # pyright: ignore[reportPossiblyUnboundVariable] - the loop ran
    ProductPages(large, ACCOUNT, 5).courses([SHIRT], [now - timedelta(days=1)])
    scans = re.compile(r"Seq Scan on (movement|sale)\b")
    assert len(Explained.plans) > 30
    assert [plan for plan in Explained.plans if scans.search(plan)] == []
    assert any("movement_no_sale" in plan for plan in Explained.plans)
    assert any("sale_recovered" in plan for plan in Explained.plans)
    large.execute("select from movement where actor = 'ada'")
    assert scans.search(Explained.plans[-1])


@pytest.mark.parametrize(
    ("states", "index"), [(["open"], "refund_open"), (["accepted", "void"], "refund_newest")]
)
def test_no_page_of_refunds_sorts_them_all(
    large: psycopg.Connection[Any], states: list[str], index: str
) -> None:
    """Those that wait and those that were decided are read in their order, a page at a time."""
    Explained.plans.clear()
    assert len(Refunds(large, ACCOUNT).listed(states, 11)) == 11
    (plan,) = Explained.plans
    assert index in plan
    assert "Seq Scan" not in plan
