"""`stocksync users`: who may use the web pages."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import answer, tell
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import open_database, plain_errors
from services.backoffice.operations import people as operations
from services.backoffice.settings import MachineSettings
from shared import logs
from shared.database.pool import Database
from shared.settings import load
from shared.store.people import Person, Role

app = typer.Typer(add_completion=False, help="Who may use the web pages.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="What they type to log in: small letters, such as anna.b.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show who can log in."""
    with _opened() as (settings, database):
        found = operations.listed(database)
    answer(
        found,
        partial(_print, settings),
        nothing="nobody can log in: `stocksync users add NAME`",
        as_json=as_json,
        document=lambda one: {"name": one.name, "role": one.role, "created_at": one.created_at},
    )


@app.command()
def add(
    name: Name,
    viewer: Annotated[
        bool, typer.Option("--viewer", help="May look at everything and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let somebody in, or give them another password or role; the password is asked for, or read from a pipe."""
    with _opened() as (_, database):
        password = _asked() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
        role: Role = "viewer" if viewer else "operator"
        new = operations.save(database, name, role, password)
    says = "can log in" if new else "has another password now, and is logged out everywhere"
    tell({"name": name, "role": role, "new": new}, f"{name} {says}", as_json=as_json)


@app.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Let somebody in no more; whoever is logged in as them is out at once."""
    with _opened() as (_, database):
        operations.remove(database, name)
    tell({"removed": name}, f"{name} can log in no more", as_json=as_json)


def _asked() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True))


@contextmanager
def _opened() -> Generator[tuple[MachineSettings, Database]]:
    settings = load(MachineSettings)
    logs.configure("backoffice", settings.log_level)
    with plain_errors(), open_database(settings) as database:
        yield settings, database


def _print(settings: MachineSettings, found: Sequence[Person]) -> None:
    table = tables.table("name", "may", "since")
    for one in found:
        tables.add(
            table,
            one.name,
            "change everything" if one.role == "operator" else "look",
            moments.named(one.created_at, settings.zone),
        )
    tables.show(table)
