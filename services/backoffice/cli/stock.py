"""`stocksync stock` and `stocksync trend`: how much there is or was, and how it went."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.opened import desk
from services.backoffice.cli.options import AsJson
from services.backoffice.operations.reports import stock as operations
from services.backoffice.operations.reports.stock import Asked, Trend
from shared import clock, spreadsheet
from shared.stock_levels import Level

app = typer.Typer(add_completion=False)


@app.command()
def stock(
    product: Annotated[
        str | None, typer.Argument(help="Its id, its name, or how one of them begins; all without.")
    ] = None,
    low: Annotated[bool, typer.Option("--low", help="Only what is low or out.")] = False,
    at: Annotated[
        str | None,
        typer.Option(help="As it was then: 2026-05-04, 2026-05-04T10:30, with a zone or the shop's."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the stock now, or as it was at any moment since stocksync keeps it."""
    with desk() as opened:
        moment = None if at is None else moments.parse(at, opened.zone)
        found = operations.stock(opened.ledger, Asked(product, low, moment), clock.now())
    if as_json:
        when = None if moment is None else moment.isoformat()
        typer.echo(json.dumps({"at": when, "rows": [_row(one) for one in found]}, indent=2))
        return
    if not found:
        typer.echo("nothing is low" if low else "no stock was known")
        return
    made = tables.table("product", "name", "size", "stock", "", right=("stock",))
    for one in found:
        units = "" if one.units is None else one.units
        tables.add(made, one.product, one.name, one.size, units, tables.standing(one.status))
    tables.show(made)
    if moment is not None:
        typer.echo(
            f"\nat {moments.shown(moment, opened.zone)} ({opened.zone.key}), thresholds as they are today"
        )


def _row(level: Level) -> dict[str, str | int | None]:
    return {
        "product": level.product,
        "name": level.name,
        "size": level.size,
        "stock": level.units,
        "status": level.status.value,
    }


@app.command()
def trend(
    product: Annotated[str, typer.Argument(help="Its id, its name, or how one of them begins.")],
    days: Annotated[int, typer.Option(min=1, max=3660, help="So many days, today the last.")] = 90,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
) -> None:
    """Show how a product's stock went, day by day, in the shop's time zone."""
    with desk() as opened:
        found = operations.trend(opened.ledger, product, days, now=clock.now(), zone=opened.zone)
    if as_json:
        typer.echo(json.dumps(_document(found), indent=2))
    elif as_csv:
        rows = [
            (found.product.id, line.size, day.isoformat(), units)
            for line in found.lines
            for day, units in zip(found.days, line.points, strict=True)
            if units is not None
        ]
        text = "".join(spreadsheet.lines(("Product ID", "Size", "Date", "Stock"), rows))
        typer.echo(text.encode("utf-8", "replace"), nl=False)
    else:
        _show(found)


def _document(found: Trend) -> dict[str, object]:
    return {
        "product": found.product.id,
        "name": found.product.name,
        "days": [day.isoformat() for day in found.days],
        "sizes": [{"size": line.size, "stock": line.points} for line in found.lines],
        "snapshots": [{"size": line.size, "stock": line.points} for line in found.snapshots],
    }


def _show(found: Trend) -> None:
    typer.echo(f"{tables.visible(found.product.name or 'no name')} ({found.product.id})\n")
    if not found.lines:
        typer.echo("it has no stock yet")
        return
    bars = tables.table("size", f"{found.days[0]} to {found.days[-1]}", "now", right=("now",))
    for line in found.lines:
        tables.add(bars, line.size or "(no sizes)", tables.sparkline(line.points), _units(line.points[-1]))
    tables.show(bars)
    typer.echo()
    made = tables.table("day", *(tables.visible(line.size) or "stock" for line in found.lines))
    for n, day in enumerate(found.days):
        now = [line.points[n] for line in found.lines]
        if n in {0, len(found.days) - 1} or now != [line.points[n - 1] for line in found.lines]:
            tables.add(made, day.isoformat(), *map(_units, now))
    tables.show(made)


def _units(units: int | None) -> str:
    return "" if units is None else f"{units:,}"
