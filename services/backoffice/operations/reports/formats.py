"""A stock report as CSV and JSON, for spreadsheets and machines."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

from services.backoffice.operations.reports.report import StockReport
from shared import spreadsheet
from shared.stock_levels import HEADER, HEADER_WITH_PRICES, Level, rows

SCHEMA: Final = "stocksync.report/1"


def as_csv(report: StockReport) -> str:
    """RFC 4180, columns as shops know them."""
    header = HEADER if report.prices is None else HEADER_WITH_PRICES
    return "".join(spreadsheet.lines(header, rows(report.levels, report.prices)))


def as_json(report: StockReport) -> str:
    """One object: when, whence, totals, a row for each size."""
    found = {
        "schema": SCHEMA,
        "made_at": report.made_at.isoformat(),
        "source": report.source,
        "totals": asdict(report.totals),
        "rows": [_row(level, report) for level in report.levels],
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _row(level: Level, report: StockReport) -> dict[str, str | int | None]:
    price = {} if report.prices is None else {"price": report.prices.get(level.product, "")}
    return {
        "product": level.product,
        "name": level.name,
        **price,
        "size": level.size,
        "stock": level.units,
        "status": level.status.value,
        **({"shown": level.shown} if level.units is None else {}),
    }
