"""The job `report`: the week before, as figures in the database that the notifier mails."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.reconciler import weekly
from services.reconciler.jobs import Figures, Tools
from shared.broker import runtime
from shared.database.pool import Connection
from shared.messages import ReportMade
from shared.periods import DAY, Period, midnight, week_before
from shared.store import pace, reports
from shared.store.jobs import JobRun
from shared.store.levels import Levels
from shared.store.weekly import Weekly
from shared.vocabulary import AccountKey
from shared.weekly_report import Day, RanOut, Reads, Stock, Unplaced, WeeklyReport

DAYS_SHOWN: Final = 84
"""Days of the picture."""


def make_report(run: JobRun, tools: Tools) -> Figures:
    """Keep the report of the seven days before the run, and tell the notifier; raises an Outage."""
    zone = ZoneInfo(tools.shop.time_zone)
    period = week_before(run.planned_at, zone)

    def keep(connection: Connection) -> tuple[int, WeeklyReport]:
        connection.execute("set transaction isolation level repeatable read")  # all figures are of one moment
        made = figures(connection, tools.account, period, zone=zone, low_stock=tools.shop.low_stock)
        data = made.model_dump(mode="json")
        return reports.add(connection, tools.account, run.planned_at, period, data=data), made

    number, made = tools.database.run(keep)
    tools.broker.publish(runtime.outgoing(ReportMade(report=number)))
    return {"report": number, "units_sold": made.sold, "orders": made.orders, "sizes_out": made.stock.out}


def figures(
    connection: Connection, account: AccountKey, period: Period, *, zone: ZoneInfo, low_stock: int
) -> WeeklyReport:
    """All that the report of `period` says; raises DatabaseOutage."""
    week = Weekly(connection, account, period)
    levels = Levels(connection, account, low_stock)
    stock, rows = levels.totals(), weekly.rows(levels.shortest(weekly.MOST_ROWS))
    products = weekly.by_product(week.by_kind())
    sold = weekly.sellers(week.sold(weekly.pace_begins(period.ends)), period.ends)
    emptied = [RanOut(**asdict(one)) for one in week.emptied()]
    usage = pace.usage(connection, account)
    lines, oldest = week.unplaced()
    return WeeklyReport(
        begins_at=period.begins,
        ends_at=period.ends,
        zone=zone.key,
        stock=Stock(**asdict(stock)),
        sold=sum(row.sold for row in products),
        orders=week.orders(),
        products=tuple(products[: weekly.MOST_PRODUCTS]),
        more_products=max(0, len(products) - weekly.MOST_PRODUCTS),
        best=weekly.best(sold),
        soon=weekly.soon(sold),
        ran_out=tuple(emptied[-weekly.MOST_RAN_OUT :]),
        more_ran_out=max(0, len(emptied) - weekly.MOST_RAN_OUT),
        unplaced=Unplaced(lines=lines, oldest=oldest),
        doubts=tuple(week.doubts()),
        recovered=tuple(week.recovered()),
        reads=Reads(used=usage.reads, allowed=usage.reads_allowed),
        course=_course(week, period.ends, zone),
        rows=rows,
        more_rows=stock.sizes - len(rows),
    )


def _course(week: Weekly, ends: datetime, zone: ZoneInfo) -> tuple[Day, ...]:
    after = ends.astimezone(zone).date()
    days = [after - DAY * back for back in range(DAYS_SHOWN, 0, -1)]
    daily = week.daily([*(midnight(day, zone) for day in days), ends])
    return weekly.course(days, daily, week.units())
