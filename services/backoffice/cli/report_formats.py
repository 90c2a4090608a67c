"""A stock report as CSV, JSON and HTML."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.backoffice.cli import moments
from services.backoffice.operations.reports.report import StockReport
from shared import spreadsheet
from shared.stock_levels import HEADER, HEADER_WITH_PRICES, Level, rows
from shared.vocabulary import StockStatus

TEMPLATES: Final = Path(__file__).parent / "templates"
SCHEMA: Final = "stocksync.report/1"
CLASSES: Final = {
    StockStatus.OUT: "out",
    StockStatus.LOW: "low",
    StockStatus.IN: "enough",
    StockStatus.NOT_A_NUMBER: "unreadable",
    StockStatus.NO_VALUE: "unreadable",
}


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


def as_html(report: StockReport, zone: ZoneInfo) -> str:
    """One page that needs nothing else: for a screen, light or dark, and for paper."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            made_at=f"{moments.shown(report.made_at, zone)} ({zone.key})",
            classes=CLASSES,
        )
    )


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


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
