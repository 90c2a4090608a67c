"""`stocksync unplaced`: paid lines that no size could be found for, and saying what they are."""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import answer
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import FOUND_LATER, opened_account
from services.backoffice.operations import stocktaking
from services.backoffice.operations import unplaced as operations
from services.backoffice.operations.stocktaking import Author, Shop
from shared.broker.connect import connect
from shared.store.unplaced import Held

app = typer.Typer(
    help="Paid lines that no size could be found for, and saying what they are.", no_args_is_help=True
)

Number = Annotated[int, typer.Argument(help="As `stocksync unplaced list` shows it.", min=1)]
STATES: Final = {"open": "bold red", "placed": "green", "dismissed": "dim"}


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Also those that were decided.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many of the oldest.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Show what waits, oldest first."""
    with opened_account() as (settings, database, account):
        states = operations.EVERY if every else operations.OPEN
        found = operations.listed(database, account, states, limit)
    answer(found, partial(_print, settings.zone), nothing="every sale has its place", as_json=as_json)


@app.command()
def place(
    number: Number,
    product: Annotated[str, typer.Argument(help="Its id, its name, or how one of them begins.")],
    size: Annotated[
        str | None, typer.Argument(help="Which size; not needed where there is one only.")
    ] = None,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the movement.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say what was sold: it comes off that stock, as the sale that it is."""
    with opened_account() as (settings, database, account), closing(connect(settings)) as broker:
        shop = Shop(database, broker, account)
        where = stocktaking.place(shop, product, size)
        done = operations.place(shop, number, where, Author(getpass.getuser(), reason))
    if as_json:
        shown = {"id": number, "product": where.product.id, "size": where.size}
        typer.echo(json.dumps({**shown, "before": done.before, "after": done.after}, indent=2))
        return
    typer.echo(f"{tables.visible(str(where))}: {done.before:,} → {done.after:,}, sold in {done.held.session}")
    if not done.told:
        typer.echo(FOUND_LATER)


@app.command()
def dismiss(number: Number, as_json: AsJson = False) -> None:
    """Say that it takes nothing off any stock."""
    with opened_account() as (_, database, account):
        held = operations.dismiss(database, account, number, by=getpass.getuser())
    typer.echo(
        json.dumps({"dismissed": number}) if as_json else f"{number}: {held.session} takes no stock for it"
    )


def _print(zone: ZoneInfo, found: Sequence[Held]) -> None:
    table = tables.table("", "session", "units", "product", "size", "why", "since", "", right=("units",))
    for one in found:
        state = one.state if one.resolved_by is None else f"{one.state} by {one.resolved_by}"
        tables.add(
            table,
            one.id,
            one.session,
            one.quantity,
            one.name or one.product or "",
            one.size_hint or "",
            one.reason,
            moments.named(one.created_at, zone),
            tables.coloured(state, STATES[one.state]),
        )
    tables.show(table)
