"""`stocksync report`: the stock as it is now, for people, spreadsheets, machines and paper."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from services.backoffice.cli import report_formats, tables
from services.backoffice.cli.opened import Desk, desk
from services.backoffice.operations.reports import formats
from services.backoffice.operations.reports import report as operations
from services.backoffice.operations.reports.report import StockReport
from shared import clock
from shared.stock_levels import Totals

NOTHING: Final = "no product keeps stock yet"

app = typer.Typer(add_completion=False)


class Format(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


@app.command()
def report(
    live: Annotated[
        bool, typer.Option("--live", help="As Stripe shows it, not as the ledger has it.")
    ] = False,
    prices: Annotated[bool, typer.Option("--prices", help="With default prices, read from Stripe.")] = False,
    format_: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="Write it to this file.", dir_okay=False)] = None,
) -> None:
    """Show the stock of every product and size, what is low and what is out."""
    with desk() as opened:
        made = _made(opened, live=live, prices=prices)
        try:
            if format_ is Format.TABLE:
                _show(made, output)
            else:
                _write(_formatted(made, format_, opened), output)
        except OSError as error:
            if output is None:
                raise
            raise typer.BadParameter(
                f"{output} can't be written: {error.strerror}", param_hint="--output"
            ) from None


def _made(opened: Desk, *, live: bool, prices: bool) -> StockReport:
    if live:
        return operations.from_stripe(opened.ledger, clock.now(), opened.stripe(), priced=prices)
    return operations.from_ledger(opened.ledger, clock.now(), opened.stripe() if prices else None)


def _formatted(made: StockReport, format_: Format, opened: Desk) -> bytes:
    match format_:
        case Format.CSV:
            text = formats.as_csv(made)
        case Format.JSON:
            text = formats.as_json(made)
        case _:
            text = report_formats.as_html(made, opened.zone)
    return text.encode("utf-8", "replace")


def _write(content: bytes, output: Path | None) -> None:
    """To the file, whole or not at all, or to standard output, byte by byte."""
    if output is None:
        typer.echo(content, nl=False)
        return
    draft = output.with_name(f".{output.name}.part")
    draft.write_bytes(content)
    draft.replace(output)


def _show(made: StockReport, output: Path | None) -> None:
    if output is None:
        _print(Console(highlight=False), made)
        return
    with output.open("w", encoding="utf-8") as file:
        _print(Console(file=file, highlight=False, width=120), made)


def _print(console: Console, made: StockReport) -> None:
    if not made.levels:
        console.print(NOTHING)
        return
    priced = ("price",) if made.prices is not None else ()
    rows = tables.table("product", "name", *priced, "size", "stock", "", right=("price", "stock"))
    for level in made.levels:
        price = () if made.prices is None else (made.prices.get(level.product, ""),)
        stock = level.shown if level.units is None else level.units
        tables.add(rows, level.product, level.name, *price, level.size, stock, tables.standing(level.status))
    console.print(rows)
    console.print(_summary(made.totals))


def _summary(totals: Totals) -> Text:
    return Text.assemble(
        f"\n{totals.units:,} units of {totals.products:,} products in {totals.sizes:,} sizes: ",
        (f"{totals.low:,} low", "yellow" if totals.low else "dim"),
        ", ",
        (f"{totals.out:,} out", "bold red" if totals.out else "dim"),
    )
