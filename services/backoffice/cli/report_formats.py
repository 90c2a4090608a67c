"""A stock report as HTML."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.backoffice.cli import moments
from services.backoffice.operations.reports.report import StockReport
from shared.vocabulary import StockStatus

TEMPLATES: Final = Path(__file__).parent / "templates"
CLASSES: Final = {
    StockStatus.OUT: "out",
    StockStatus.LOW: "low",
    StockStatus.IN: "enough",
    StockStatus.NOT_A_NUMBER: "unreadable",
    StockStatus.NO_VALUE: "unreadable",
}


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


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
