"""`stocksync import`: setting the whole stock to what a table says, and taking that back."""

from __future__ import annotations

import getpass
import json
import secrets
import sys
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Final, NoReturn

import typer

from services.backoffice.cli import progress, tables
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import FAILED, FOUND_LATER, opened_account
from services.backoffice.operations.looks import Patience
from services.backoffice.operations.stocktaking import Author, Shop
from services.backoffice.operations.whole_stock import importing, new_sizes, undoing
from services.backoffice.operations.whole_stock import sheet as sheets
from services.backoffice.operations.whole_stock.compare import Change, Comparison, NewSize
from services.backoffice.operations.whole_stock.importing import NotImported
from services.backoffice.operations.whole_stock.new_sizes import Created
from services.backoffice.operations.whole_stock.sheet import Problem, Sheet
from services.backoffice.settings import MachineSettings
from shared import paced_stripe
from shared.broker.connect import connect
from shared.stripe_api.client import StripeApi

BIGGEST: Final = 50_000_000
"""Bytes of a file; a hundred thousand sizes take about five million."""

app = typer.Typer(add_completion=False)


@app.command("import")
def import_(
    file: Annotated[
        Path | None,
        typer.Argument(help="As `stocksync report --format csv` writes it.", exists=True, dir_okay=False),
    ] = None,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; otherwise it is only shown.")] = False,
    create_sizes: Annotated[
        bool, typer.Option("--create-sizes", help="Create the sizes that products do not have, in Stripe.")
    ] = False,
    undo: Annotated[
        str | None, typer.Option(metavar="BATCH", help="Take back what was imported as this batch.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; by default the name of the file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set what is on hand to what a table says: all of it, or nothing.

    Each number is a count, as in `stocksync correct`: leave only the rows in that were counted.
    """
    if (file is None) == (undo is None) or (undo is not None and (apply or create_sizes)):
        raise typer.BadParameter("name a file to import, or a batch to take back with --undo")
    with _opened() as (shop, settings):
        try:
            if undo is not None:
                _undo(shop, undo, reason, as_json=as_json)
            elif file is not None:
                table = _read(file)
                author = _author(reason or f"import {file.name}")
                if apply:
                    stripe = paced_stripe.connect(settings, shop.database, Event()) if create_sizes else None
                    _apply(shop, table, author, stripe=stripe, as_json=as_json)
                else:
                    found = importing.preview(shop, table, create_sizes=create_sizes)
                    _preview(found, as_json=as_json)
        except NotImported as refused:
            _refuse(file, refused.problems, as_json=as_json)


@contextmanager
def _opened() -> Generator[tuple[Shop, MachineSettings]]:
    with opened_account() as (settings, database, account), closing(connect(settings)) as broker:
        yield Shop(database, broker, account), settings


def _author(reason: str) -> Author:
    return Author(getpass.getuser(), reason, order=secrets.token_hex(6))


def _read(file: Path) -> Sheet:
    try:
        with file.open("rb") as opened:
            content = opened.read(BIGGEST + 1)
    except OSError as error:
        raise typer.BadParameter(f"{file} can't be read: {error.strerror}", param_hint="FILE") from None
    if len(content) > BIGGEST:
        raise typer.BadParameter(f"{file} has more than {BIGGEST:,} bytes", param_hint="FILE")
    return sheets.read(content)


def _preview(found: Comparison, *, as_json: bool) -> None:
    if as_json:
        _print_json(applied=False, **_facts(found), create=[_new(one) for one in found.new_sizes])
        return
    _show(found.changes, found.new_sizes)
    typer.echo(_summary(found).replace("changed", "to change", 1))
    if found.changes or found.new_sizes:
        typer.echo("Nothing was changed; --apply does it.")


def _apply(shop: Shop, table: Sheet, author: Author, *, stripe: StripeApi | None, as_json: bool) -> None:
    with progress.bar("products looked at") as tell:
        done = importing.apply(
            shop, table, author, create_sizes=stripe is not None, patience=Patience(tell=tell)
        )
    created = new_sizes.create(shop, stripe, done.found.new_sizes, done.batch) if stripe else []
    if as_json:
        batch = done.batch if done.found.changes else None
        create = [{**_new(one.wanted), "created": not one.why, "why": one.why} for one in created]
        _print_json(applied=True, batch=batch, **_facts(done.found), create=create)
    else:
        _show(done.found.changes, ())
        typer.echo(_summary(done.found))
        if done.found.changes:
            typer.echo(f"Done. `stocksync import --undo {done.batch}` takes it back.")
        if not done.told:
            typer.echo(FOUND_LATER)
        _print_created(created)
    if any(one.why for one in created):
        raise typer.Exit(FAILED)


def _undo(shop: Shop, batch: str, reason: str | None, *, as_json: bool) -> None:
    done = undoing.undo(shop, batch, _author(reason or f"undo of import {batch}"))
    if as_json:
        _print_json(undone=batch, changes=[_change(one) for one in done.changes])
        return
    _show(done.changes, ())
    typer.echo(f"Sizes taken back: {len(done.changes):,}.")
    if not done.told:
        typer.echo(FOUND_LATER)


def _refuse(file: Path | None, problems: Sequence[Problem], *, as_json: bool) -> NoReturn:
    if as_json:
        shown = [{"line": problem.line or None, "text": problem.text} for problem in problems]
        _print_json(applied=False, problems=shown)
    else:
        for problem in problems:
            line = f"{file.name}, line {problem.line}: " if file and problem.line else ""
            whole = f"{file.name}: " if file and not problem.line else ""
            sys.stderr.write(f"stocksync: {tables.visible(f'{line}{whole}{problem.text}')}\n")
        sys.stderr.write(f"stocksync: nothing was changed; problems: {len(problems):,}\n")
    raise typer.Exit(FAILED)


def _show(changes: Sequence[Change], created: Sequence[NewSize]) -> None:
    if not (changes or created):
        return
    made = tables.table("product", "size", "now", "then", "", right=("now", "then", ""))
    for one in changes:
        cells = f"{one.before:,}", f"{one.after:,}", f"{one.after - one.before:+,}"
        tables.add(made, one.name or one.product, one.size, *cells)
    for one in created:
        tables.add(made, one.name or one.product, one.size, "", f"{one.units:,}", "new size")
    tables.show(made)


def _summary(found: Comparison) -> str:
    create = f", {len(found.new_sizes):,} to create" if found.new_sizes else ""
    alone = f", {found.left_alone:,} left alone (no number in Stripe)" if found.left_alone else ""
    return f"Sizes: {len(found.changes):,} changed, {found.unchanged:,} as they were{create}{alone}."


def _print_created(created: Sequence[Created]) -> None:
    for one in created:
        name = tables.visible(str(one.wanted))
        if one.why:
            sys.stderr.write(f"stocksync: {name} was not created: {tables.visible(one.why)}\n")
        else:
            typer.echo(
                f"{name} was created in Stripe with {one.wanted.units:,}; the stock worker takes it over."
            )


def _facts(found: Comparison) -> dict[str, Any]:
    return {
        "changes": [_change(one) for one in found.changes],
        "unchanged": found.unchanged,
        "left_alone": found.left_alone,
        "problems": [],
    }


def _change(one: Change) -> dict[str, object]:
    return {
        "product": one.product,
        "name": one.name,
        "size": one.size,
        "before": one.before,
        "after": one.after,
        "difference": one.after - one.before,
    }


def _new(one: NewSize) -> dict[str, object]:
    return {"product": one.product, "name": one.name, "size": one.size, "units": one.units}


def _print_json(**document: object) -> None:
    typer.echo(json.dumps(document, indent=2))
