"""`stocksync movements` and `stocksync sales`: what moved and what was sold, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import answer
from services.backoffice.cli.opened import Desk, desk
from services.backoffice.cli.options import AsJson
from services.backoffice.operations.reports import journal as operations
from shared.store.journal import BookedSale, Entry

Since = Annotated[
    str | None, typer.Option(help="Only since this moment: 2026-05-04T10:30, with a zone or the shop's.")
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="So many of the newest.")]
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)  # before any movement

app = typer.Typer(add_completion=False)


@app.command()
def movements(
    product: Annotated[
        str | None, typer.Argument(help="Its id, its name, or how one of them begins; all without.")
    ] = None,
    size: Annotated[str | None, typer.Argument(help="Only this size.")] = None,
    *,
    since: Since = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show what came and went, newest first: when, how many, what was left, and who or which sale did it."""
    with desk() as opened:
        begins = _since(opened, since)
        found = operations.movements(opened.ledger, product, size, since=begins, limit=limit)
    answer(found, partial(_print_movements, opened.zone), nothing="nothing moved", as_json=as_json)


@app.command()
def sales(
    *,
    recovered: Annotated[
        bool, typer.Option("--recovered", help="Only those that no webhook told of, with the reason.")
    ] = False,
    since: Since = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show what was sold, newest first."""
    with desk() as opened:
        begins = _since(opened, since)
        found = operations.sales(opened.ledger, since=begins, limit=limit, recovered=recovered)
    answer(found, partial(_print_sales, opened.zone), nothing="nothing was sold", as_json=as_json)


def _since(opened: Desk, since: str | None) -> datetime:
    return moments.past(since, opened.zone) or BEGINNING


def _print_movements(zone: ZoneInfo, found: Sequence[Entry]) -> None:
    made = tables.table("when", "product", "size", "", "units", "left", "by", right=("units", "left"))
    for one in found:
        batch = f"(batch {one.batch})" if one.batch else ""
        by = " ".join(filter(None, (one.session or one.actor, one.reason, batch)))
        when = moments.shown(one.at, zone)
        tables.add(
            made, when, one.name or one.product, one.size, one.kind, f"{one.delta:+,}", f"{one.after:,}", by
        )
    tables.show(made)


def _print_sales(zone: ZoneInfo, found: Sequence[BookedSale]) -> None:
    made = tables.table("booked", "session", "what", "from")
    for one in found:
        what = [f"{line.units} × {line.name or line.product} {line.size}".rstrip() for line in one.lines]
        if one.unplaced:
            what.append(f"{one.unplaced} held at first (`stocksync unplaced list --all`)")
        origin = f"{one.origin}: {one.reason}" if one.reason else one.origin
        tables.add(made, moments.shown(one.booked_at, zone), one.session, ", ".join(what), origin)
    tables.show(made)
