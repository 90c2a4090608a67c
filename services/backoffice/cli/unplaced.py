"""`stocksync unplaced`: paid lines that no size could be found for, and saying what they are."""

from __future__ import annotations

import getpass
import json
import shlex
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
from services.backoffice.operations.stocktaking import Author, Place, Shop
from services.backoffice.operations.unplaced import Lesson, Placed
from shared import money
from shared.broker.connect import connect
from shared.store.aliases import Taught
from shared.store.levels import Named
from shared.store.unplaced import Held

app = typer.Typer(
    add_completion=False,
    help="Paid lines that no size could be found for, and saying what they are.",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(help="As `stocksync unplaced list` shows it.", min=1)]
MOST_OFFERED: Final = 20
"""Commands that are offered at once."""
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
    always: Annotated[
        bool, typer.Option("--always", help="Also place such lines by themselves from now on.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what was sold: it comes off that stock, as the sale that it is."""
    with opened_account() as (settings, database, account), closing(connect(settings)) as broker:
        shop = Shop(database, broker, account)
        where = stocktaking.place(shop, product, size)
        author = Author(getpass.getuser(), reason)
        done = operations.place(shop, number, where, author, always=always)
    if as_json:
        typer.echo(json.dumps(_facts(done, where), indent=2))
        return
    typer.echo(f"{tables.visible(str(where))}: {done.before:,} → {done.after:,}, sold in {done.held.session}")
    if done.held.money_back:
        typer.echo(
            f"{_went_back(done.held)} for this sale, and nobody is asked what came back of this line: where it did,"
            f" `stocksync restock {tables.visible(where.product.id)} …` puts it on the shelf."
        )
    if not done.told:
        typer.echo(FOUND_LATER)
    if done.lesson is not None:
        _explain(done.lesson, done.held, where)


@app.command()
def dismiss(number: Number, as_json: AsJson = False) -> None:
    """Say that it takes nothing off any stock."""
    with opened_account() as (_, database, account):
        held = operations.dismiss(database, account, number, by=getpass.getuser())
    typer.echo(
        json.dumps({"dismissed": number}) if as_json else f"{number}: {held.session} takes no stock for it"
    )


@app.command()
def aliases(as_json: AsJson = False) -> None:
    """Show what `place --always` taught, oldest first."""
    with opened_account() as (settings, database, account):
        found = operations.aliases(database, account)
    show = partial(_print_aliases, settings.zone)
    answer(
        found, show, nothing="nothing was taught: `stocksync unplaced place --always` does", as_json=as_json
    )


@app.command()
def forget(
    number: Annotated[int, typer.Argument(help="As `stocksync unplaced aliases` shows it.", min=1)],
    as_json: AsJson = False,
) -> None:
    """Have an alias place nothing any more; what it placed stays as it is."""
    with opened_account() as (_, database, account):
        operations.forget(database, account, number, by=getpass.getuser())
    typer.echo(json.dumps({"forgotten": number}) if as_json else f"alias {number}: forgotten")


def _facts(done: Placed, where: Place) -> dict[str, object]:
    facts = {"id": done.held.id, "product": where.product.id, "size": where.size}
    lesson = done.lesson
    taught: dict[str, object] = (
        {}
        if lesson is None
        else {
            "alias": lesson.alias,
            "replaced": lesson.replaced,
            "alike": [one.id for one in lesson.alike],
        }
    )
    return {**facts, "before": done.before, "after": done.after, **taught}


def _explain(lesson: Lesson, held: Held, where: Place) -> None:
    """What was taught, and what else that would place; whether it should, is for a person to say."""
    told = held.told
    words = _words(told.product, told.name, told.size)
    instead = ", and no longer what it meant before" if lesson.replaced else ""
    typer.echo(
        f"From now on {tables.visible(words)} means {tables.visible(str(where))}{instead}; `stocksync unplaced forget"
        f" {lesson.alias}` ends that."
    )
    if not lesson.alike:
        return
    typer.echo(f"{len(lesson.alike):,} more of those that wait say the same:")
    size = f" {shlex.quote(where.size)}" if where.size else ""
    for one in lesson.alike[:MOST_OFFERED]:
        typer.echo(f"  stocksync unplaced place {one.id} {tables.visible(where.product.id + size)}")
    if (more := len(lesson.alike) - MOST_OFFERED) > 0:
        typer.echo(f"  and {more:,} more, which `stocksync unplaced list` shows")


def _words(product: str, name: str, size: str) -> str:
    """What a line said, in words."""
    what = product or f'"{name}"'
    return f'{what} with the size "{size}"' if size else f"{what} without a size"


def _print_aliases(zone: ZoneInfo, found: Sequence[Taught]) -> None:
    table = tables.table("", "what a sale says", "means", "by", "since", "")
    for one in found:
        means = Place(Named(one.product, one.name), one.size)
        words = _words(one.told_product, one.told_name, one.told_size)
        standing = f"places nothing: {one.standing}" if one.standing else ""
        since = moments.named(one.at, zone)
        tables.add(table, one.id, words, str(means), one.by, since, tables.coloured(standing, "bold red"))
    tables.show(table)


def _went_back(held: Held) -> str:
    return f"{money.readable(held.money_back, held.currency or '')} went back"


def _print(zone: ZoneInfo, found: Sequence[Held]) -> None:
    table = tables.table("", "session", "units", "product", "size", "why", "since", "", right=("units",))
    for one in found:
        state = one.state if one.resolved_by is None else f"{one.state} by {one.resolved_by}"
        tables.add(
            table,
            one.id,
            one.session,
            one.quantity,
            one.name or one.line_name or one.product or "",
            one.size_hint or "",
            one.reason + (f"; {_went_back(one)}" if one.money_back else ""),
            moments.named(one.created_at, zone),
            tables.coloured(state, STATES[one.state]),
        )
    tables.show(table)
