"""Snapshots that were taken, and the stock as files: of a snapshot, and of now."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, render_template, request

from services.backoffice.operations import snapshots as operations
from services.backoffice.operations.reports import formats, report
from services.backoffice.operations.reports.report import StockReport
from services.backoffice.web import marks
from services.backoffice.web.office import office
from shared import clock

pages = Blueprint("snapshots", __name__)
_CSV: Final = "text/csv; charset=utf-8; header=present"
_JSON: Final = "application/json"


@pages.get("/snapshots")
def listing() -> str:
    """A page of them."""
    before = request.args.get("before")
    found, older = operations.taken(office().ledger, marks.moment(before) if before else None)
    return render_template(
        "snapshots.html", snapshots=found, older=older.isoformat() if older else None, first=not before
    )


@pages.get("/snapshots/<int:number>")
def one(number: int) -> str:
    """One with its totals."""
    return render_template("snapshot.html", snapshot=operations.one(office().ledger, number))


@pages.get("/snapshots/<int:number>/stock.csv")
def as_csv(number: int) -> Response:
    """One for a spreadsheet."""
    return _file(formats.as_csv(operations.whole(office().ledger, number)), f"snapshot-{number}.csv", _CSV)


@pages.get("/snapshots/<int:number>/stock.json")
def as_json(number: int) -> Response:
    """One for machines."""
    return _file(formats.as_json(operations.whole(office().ledger, number)), f"snapshot-{number}.json", _JSON)


@pages.get("/stock.csv")
def now_as_csv() -> Response:
    """The stock now, for a spreadsheet."""
    return _file(formats.as_csv(_now()), "stock.csv", _CSV)


@pages.get("/stock.json")
def now_as_json() -> Response:
    """The stock now, for machines."""
    return _file(formats.as_json(_now()), "stock.json", _JSON)


def _now() -> StockReport:
    return report.from_ledger(office().ledger, clock.now())


def _file(text: str, name: str, kind: str) -> Response:
    """A download; its name is ours, and made of letters, digits, dashes and dots."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.encode("utf-8", "replace"), content_type=kind, headers=headers)
