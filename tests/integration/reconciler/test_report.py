from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.reconciler.jobs import Shop, Tools, run
from services.reconciler.report import figures, make_report
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.findings import Cause, NewFinding
from shared.outcomes import Done
from shared.periods import Period
from shared.store.findings import Findings
from shared.store.jobs import Jobs
from shared.topology import ALERTS
from shared.vocabulary import MovementKind, ProductId, Size
from shared.weekly_report import Doubt, RanOut, Recovered, Seller, Stock, WeeklyReport
from tests.integration.reports.ledger import Entry, append, create
from tests.integration.stock_worker.shop import ACCOUNT

MONDAY = datetime(2026, 5, 4, 4, tzinfo=UTC)  # six in the morning in Berlin
BEGAN, ENDED = datetime(2026, 4, 26, 22, tzinfo=UTC), datetime(2026, 5, 3, 22, tzinfo=UTC)
MUG, CAP = ProductId("prod_mug"), ProductId("prod_cap")
M, L = Size("M"), Size("L")
SALE, OPENING = MovementKind.SALE, MovementKind.OPENING


@pytest.fixture
def berlin(tools: Tools) -> Tools:
    """Jobs of a shop in Berlin that calls three units low."""
    return replace(tools, shop=Shop("Europe/Berlin", 3))


@pytest.fixture
def history(database: Database) -> None:
    """Some weeks of two products in two sizes; the cap in M runs out twice, the mug in L before the week."""
    create(database, {MUG: "Mug", CAP: "Cap"}, ("M", "L"))
    start = BEGAN - timedelta(days=20)

    def entry(
        product: ProductId, size: Size, delta: int, hours: float, *, kind: MovementKind = SALE
    ) -> Entry:
        session = f"cs_{product}_{size}_{hours}" if kind is SALE else None
        return Entry(product, size, delta, kind, BEGAN + timedelta(hours=hours), session)

    append(
        database,
        [
            *(Entry(p, s, 10, OPENING, start) for p in (MUG, CAP) for s in (M, L)),
            entry(MUG, L, -10, -1),
            entry(MUG, M, -1, -0.01),
            entry(MUG, M, -2, 0),
            entry(CAP, M, -10, 30),
            entry(CAP, M, 4, 40, kind=MovementKind.EXTERNAL),
            entry(CAP, M, -5, 50),
            entry(CAP, M, 1, 51, kind=MovementKind.OVERSOLD),
            entry(CAP, L, -3, 60),
            entry(MUG, M, 5, 100, kind=MovementKind.RETURNED),
            entry(CAP, L, -1, 167.99),
            entry(CAP, L, -2, 168),
            entry(CAP, M, 6, 170, kind=MovementKind.RESTOCK),
        ],
    )


def planned(database: Database) -> None:
    """The clock planned the report."""
    with database.transaction() as connection:
        Jobs(connection, ACCOUNT).plan("report", MONDAY, actor="schedule")


def made(database: Database) -> Iterator[tuple[Any, ...]]:
    """(begins, ends, data) of all reports."""
    with database.transaction() as connection:
        yield from connection.execute("select begins_at, ends_at, data from report order by id").fetchall()


def test_the_report_says_what_the_week_was(
    database: Database, berlin: Tools, queue: EmbeddedBroker, history: None
) -> None:
    """The figures are those of the seven local days before, and the notifier is told."""
    assert history is None
    planned(database)
    assert run({"report": make_report}, "report", MONDAY, berlin) == Done()
    ((begins, ends, data),) = made(database)
    report = WeeklyReport.model_validate(data)
    assert (begins, ends) == (BEGAN, ENDED)
    assert report.stock == Stock(products=2, sizes=4, units=22, low=0, out=1)
    assert (report.sold, report.orders) == (21, 5)
    cap, mug = report.products
    assert (cap.product, cap.sold, cap.edited, cap.oversold, cap.corrected) == (CAP, 19, 4, 1, 0)
    assert (mug.product, mug.sold, mug.restocked, mug.returned) == (MUG, 2, 0, 5)
    assert report.best[:2] == (
        Seller(product=CAP, name="Cap", size="M", sold=15, left=6, cover=10),
        Seller(product=CAP, name="Cap", size="L", sold=4, left=4, cover=27),
    )
    assert [(one.product, one.size) for one in report.soon] == [(CAP, "M")]
    second_time = BEGAN + timedelta(hours=50)
    assert report.ran_out == (RanOut(product=CAP, name="Cap", size="M", at=second_time, left=6),)
    assert (report.course[-1].stock, report.course[-1].sold) == (18, 1)
    assert [day.stock for day in report.course][-8] == 29
    assert len(report.rows) == 4
    assert queue.depth(ALERTS).ready == 1


def test_all_figures_count_the_same_sizes(database: Database, history: None) -> None:
    """A size whose number is gone from Stripe is in no figure of units, its sales are still sales."""
    assert history is None
    with database.transaction() as connection:
        connection.execute(
            "update variant set state = 'missing' where product_id = %s and size = 'M'", (CAP,)
        )
        report = figures(
            connection, ACCOUNT, Period(BEGAN, ENDED), zone=ZoneInfo("Europe/Berlin"), low_stock=3
        )
    assert report.stock == Stock(products=2, sizes=3, units=16, low=0, out=1)
    assert (report.course[-1].stock, sum(day.sold for day in report.course[-7:])) == (18, 21)


def test_the_report_tells_of_doubts_and_of_late_sales(database: Database, berlin: Tools) -> None:
    """What is not resolved counts by cause with its age, recovered sales of the week by reason with their delay."""
    doubted = [
        NewFinding(Cause.NOT_A_NUMBER, MUG, M),
        NewFinding(Cause.NOT_A_NUMBER, MUG, L),
        NewFinding(Cause.EDITED, CAP, M),
    ]
    with database.transaction() as connection:
        findings = Findings(connection, ACCOUNT)
        edited, first, _ = findings.see(doubted)
        findings.resolve({edited: "it was meant"}, "ada")
        findings.acknowledge([first], "ada")
        connection.execute("update finding set first_seen_at = %s where id = %s", (BEGAN, first))
        connection.execute(
            """
            insert into sale (account, session_id, origin, created_at, booked_at, lines, reason, delay)
            select %s, 'cs_' || n, 'recovery', %s, %s + n * interval '24 hours', 1, why, n * interval '1 hour'
            from unnest(array['lost', 'lost', '', 'no event', 'lost']) with ordinality as late (why, n)
            """,
            (ACCOUNT, BEGAN, BEGAN + timedelta(hours=60)),
        )
    planned(database)
    run({"report": make_report}, "report", MONDAY, berlin)
    ((_, _, data),) = made(database)
    report = WeeklyReport.model_validate(data)
    assert report.doubts == (Doubt(cause="not_a_number", findings=2, oldest=BEGAN),)
    assert report.recovered == (
        Recovered(reason="lost", sales=2, longest_seconds=7200),
        Recovered(reason="no event", sales=1, longest_seconds=4 * 3600),
    )


def test_a_run_that_begins_again_makes_one_report(database: Database, berlin: Tools) -> None:
    """Where the worker died after the report was kept, the same run keeps no second one."""
    planned(database)
    started = Jobs
    with database.transaction() as connection:
        begun = started(connection, ACCOUNT).begin("report", MONDAY)
    assert begun is not None
    first, again = make_report(begun, berlin), make_report(begun, berlin)
    assert first == again
    assert len(list(made(database))) == 1


def test_a_shop_without_movements_has_a_report_too(database: Database, berlin: Tools) -> None:
    """An account where nothing ever happened has a report of nothing."""
    planned(database)
    run({"report": make_report}, "report", MONDAY, berlin)
    ((_, _, data),) = made(database)
    report = WeeklyReport.model_validate(data)
    assert (report.stock.sizes, report.sold, report.products, report.rows) == (0, 0, (), ())
    assert {day.stock for day in report.course} == {0}
