"""`stocksync restock`, `adjust` and `correct`: what came in, what was wrong, and what somebody counted."""

from __future__ import annotations

import getpass
import json
import re
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Annotated, Final

import typer

from services.backoffice.cli import tables
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import FOUND_LATER, opened_account
from services.backoffice.operations import stocktaking as operations
from services.backoffice.operations.stocktaking import Author, Changed, Shop
from shared.broker.connect import connect
from shared.vocabulary import MAX_UNITS, MovementKind, parse_units

MUCH: Final = 1000
"""Units from which on a change is asked about, as it may be a slip of the finger."""
SIGNED: Final = {"ignore_unknown_options": True}
"""So that `-3` is a number, not an option."""

ProductName = Annotated[str, typer.Argument(help="Its id, its name, or how one of them begins.")]
Yes = Annotated[bool, typer.Option("--yes", help=f"Do not ask, though it is {MUCH:,} units or more.")]
Why = Annotated[str, typer.Option(help="Why; it is kept with the movement.")]

app = typer.Typer(add_completion=False)


@app.command(context_settings=SIGNED)
def restock(
    product: ProductName,
    units: Annotated[
        list[str], typer.Argument(metavar="[SIZE] +N", help="Which size, and how many came in.")
    ],
    *,
    reason: Why = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Add goods that came in: `restock "Blue shirt" M +20`."""
    size, text = _split(units)
    number = _number(text, r"\+?([0-9]+)", "how many came in, such as +20")
    author = Author(getpass.getuser(), reason)
    _tell(_changed(product, size, number, MovementKind.RESTOCK, author=author, yes=yes), as_json=as_json)


@app.command(context_settings=SIGNED)
def adjust(
    product: ProductName,
    units: Annotated[
        list[str], typer.Argument(metavar="[SIZE] +N|-N", help="Which size, and by how much it is wrong.")
    ],
    *,
    reason: Why,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put right what is on hand by a difference: `adjust "Blue shirt" M -2 --reason "torn"`."""
    size, text = _split(units)
    number = _number(text, r"([+-][0-9]+)", "a difference with its sign, such as -2 or +2")
    author = _author(reason)
    _tell(_changed(product, size, number, MovementKind.ADJUSTMENT, author=author, yes=yes), as_json=as_json)


@app.command(context_settings=SIGNED)
def correct(
    product: ProductName,
    units: Annotated[
        list[str], typer.Argument(metavar="[SIZE] N", help="Which size, and how many there are.")
    ],
    *,
    reason: Why,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Say how many somebody counted: `correct "Blue shirt" M 17 --reason "counted on Monday"`.

    What is typed into the Dashboard is taken in first, so the stock worker has to run. Sales that were paid and not
    heard of yet still come off.
    """
    size, text = _split(units)
    number = parse_units(text)
    if number is None:
        raise typer.BadParameter(
            f"{text!r} is not how many there are: a whole number from 0 to {MAX_UNITS:,}"
        )
    with _shop() as shop:
        where = operations.place(shop, product, size)
        before = operations.on_hand(shop, where)
        _sure(number - before, f"{before:,} become {number:,} units", yes=yes)
        done = operations.count(shop, where, number, author=_author(reason))
    _tell(done, as_json=as_json)


@contextmanager
def _shop() -> Generator[Shop]:
    with opened_account() as (settings, database, account), closing(connect(settings)) as broker:
        yield Shop(database, broker, account)


def _changed(
    product: str, size: str | None, delta: int, kind: MovementKind, *, author: Author, yes: bool
) -> Changed:
    with _shop() as shop:
        where = operations.place(shop, product, size)
        _sure(delta, f"that is {delta:+,} units of {where}", yes=yes)
        return operations.change(shop, where, delta, kind=kind, author=author)


def _author(reason: str) -> Author:
    if not reason.strip():
        raise typer.BadParameter("--reason is empty: say why, it is kept with the movement")
    return Author(getpass.getuser(), reason)


def _split(words: list[str]) -> tuple[str | None, str]:
    """The size (None: not named) and the number."""
    match words:
        case [number]:
            return None, number
        case [size, number]:
            return size, number
        case _:
            raise typer.BadParameter(
                f"a size and a number at most, not {' '.join(words)!r}; put names in quotes"
            )


def _number(text: str, form: str, what: str) -> int:
    found = re.fullmatch(form, text, re.ASCII)
    number = int(found[1]) if found and len(found[1]) <= len(str(MAX_UNITS)) + 1 else 0
    if not number:
        raise typer.BadParameter(f"{text!r} is not {what}")
    return number


def _sure(delta: int, what: str, *, yes: bool) -> None:
    """Ask before much changes; without a terminal only `--yes` answers."""
    if yes or abs(delta) < MUCH:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{what}: if that is right, say so with --yes")
    typer.confirm(f"{what}. Right?", abort=True)


def _tell(done: Changed, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_document(done), indent=2))
        return
    name = tables.visible(str(done.place))
    if done.before == done.after:
        typer.echo(f"{name}: {done.after:,}, as it was")
        return
    typer.echo(f"{name}: {done.before:,} → {done.after:,}")
    if not done.told:
        typer.echo(FOUND_LATER)


def _document(done: Changed) -> dict[str, object]:
    where = done.place
    return {
        "product": where.product.id,
        "name": where.product.name,
        "size": where.size,
        "before": done.before,
        "after": done.after,
    }
