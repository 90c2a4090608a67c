"""`stocksync export`: every movement, for programs that keep books of their own."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from services.backoffice.cli import moments
from services.backoffice.cli.opened import desk
from services.backoffice.operations.reports import export as operations
from services.backoffice.operations.reports.export import Wanted
from shared import movement_feed, spreadsheet
from shared.movement_feed import Recorded

app = typer.Typer(add_completion=False)


class Format(StrEnum):
    """How movements are written."""

    JSONL = "jsonl"
    CSV = "csv"


@app.command()
def export(
    since: Annotated[
        str | None, typer.Option(help="From this moment on: 2026-05-04, 2026-05-04T10:30.")
    ] = None,
    after: Annotated[
        int, typer.Option(min=0, help="Only movements with greater ids: goes on where one ended.")
    ] = 0,
    format_: Annotated[
        Format, typer.Option("--format", help="One JSON object a line, or a table.")
    ] = Format.JSONL,
) -> None:
    """Write every movement of the ledger, oldest first, as docs/feeds.md describes it."""
    with desk() as opened:
        moment = None if since is None else moments.parse(since, opened.zone)
        found = operations.export(opened.ledger, Wanted(moment, after))
        for line in _lines(found, format_):
            typer.echo(line.encode("utf-8", "replace"), nl=False)


def _lines(found: Iterator[Recorded], format_: Format) -> Iterator[str]:
    if format_ is Format.CSV:
        return spreadsheet.lines(movement_feed.COLUMNS, map(movement_feed.cells, found))
    return (movement_feed.as_json(movement) + "\n" for movement in found)
