"""`stocksync alerts`: what is open, and saying that somebody sees to it or that it can wait."""

from __future__ import annotations

import getpass
import json
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.backoffice.cli.surroundings import open_database, plain_errors
from services.backoffice.operations import alerts as operations
from services.backoffice.operations.alerts import Seen
from services.backoffice.settings import MachineSettings
from shared import clock, logs
from shared.broker.connect import connect
from shared.broker.port import Parked
from shared.database.pool import Database
from shared.settings import ZoneSettings, load
from shared.topology import PIPELINE
from shared.vocabulary import AccountKey, account_key

app = typer.Typer(help="What is open, and saying that it is seen to or can wait.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
Ids = Annotated[list[int], typer.Argument(help="As `stocksync alerts list` shows them.", min=1)]
FORMATS: Final = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]
STATES: Final = {"waits": "cyan", "refused": "bold red", "told": "default"}


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many of the newest.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Show what is open, newest first."""
    with _opened() as (_, database, account):
        found = operations.still_open(database, account, limit, now=clock.now())
    if as_json:
        typer.echo(
            json.dumps([{**asdict(one.alert), "state": one.state} for one in found], default=str, indent=2)
        )
        return
    if not found:
        typer.echo("nothing is open")
        return
    _print(found)


@app.command()
def ack(ids: Ids, as_json: AsJson = False) -> None:
    """Say that somebody sees to it: it is not told again while it lasts."""
    with _opened() as (_, database, account):
        operations.acknowledge(database, account, ids, actor=getpass.getuser())
    _answer(as_json, {"acknowledged": ids}, "not told again while it lasts")


@app.command()
def snooze(
    ids: Ids,
    until: Annotated[
        datetime | None, typer.Option(formats=FORMATS, help="When, in the shop's TIME_ZONE.")
    ] = None,
    length: Annotated[str | None, typer.Option("--for", help="How long: 90m, 3h, 2d, 1w.")] = None,
    as_json: AsJson = False,
) -> None:
    """Have it wait: it is told then, again if need be, if it still lasts."""
    at = _wake(until, length)
    with _opened() as (_, database, account):
        operations.snooze(database, account, ids, at)
    when = f"{at.astimezone(load(ZoneSettings).zone):%Y-%m-%d %H:%M %Z}"
    _answer(as_json, {"snoozed": ids, "until": at.isoformat()}, f"told at {when}, if it still lasts")


@app.command()
def parked(
    queue: Annotated[str | None, typer.Argument(help="Only this queue.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many of the oldest of each queue.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the messages that could not be handled and lie aside, with the reason; not what they hold."""
    names = [one.name for one in PIPELINE.queues]
    if queue is not None and queue not in names:
        raise typer.BadParameter(f"no such queue: {queue}; there are {', '.join(names)}")
    settings = load(MachineSettings)
    logs.configure("backoffice", settings.log_level)
    with plain_errors(), closing(connect(settings)) as broker:
        found = operations.parked(broker, [queue] if queue else [], limit)
    if as_json:
        typer.echo(json.dumps([_without_body(letter) for letter in found], default=str, indent=2))
        return
    if not found:
        typer.echo("no message lies aside")
        return
    table = _table("queue", "message", "since", "attempts", "reason")
    for letter in found:
        since = f"{letter.parked_at:%Y-%m-%d %H:%M} UTC"
        table.add_row(letter.queue, letter.message_id, since, str(letter.attempts), escape(letter.reason))
    Console(highlight=False).print(table)


def _without_body(letter: Parked) -> dict[str, object]:
    return {name: value for name, value in asdict(letter).items() if name != "body"}


def _wake(until: datetime | None, length: str | None) -> datetime:
    """When a snooze ends, aware; raises BadParameter."""
    now = clock.now()
    if (until is None) == (length is None):
        raise typer.BadParameter("give either --until or --for")
    try:
        at = now + operations.span(length) if length is not None else _local(until or now)
    except ValueError as error:
        raise typer.BadParameter(f"--for {error}") from None
    if not now < at <= now + operations.LONGEST:
        raise typer.BadParameter("--until must be within the next year")
    return at


def _local(wall: datetime) -> datetime:
    return wall.replace(tzinfo=load(ZoneSettings).zone)


def _answer(as_json: bool, machine: dict[str, object], words: str) -> None:
    typer.echo(json.dumps(machine) if as_json else words)


def _print(found: Sequence[Seen]) -> None:
    table = _table("id", "kind", "about", "since", "")
    for one in found:
        alert = one.alert
        said = {
            "acknowledged": f"acknowledged by {alert.acknowledged_by}",
            "snoozed": f"snoozed until {alert.snoozed_until:%Y-%m-%d %H:%M} UTC"
            if alert.snoozed_until
            else "",
        }.get(one.state, one.state)
        colour = STATES.get(one.state, "dim")
        kind = alert.kind.replace("_", " ")
        since = f"{alert.raised_at:%Y-%m-%d %H:%M} UTC"
        table.add_row(str(alert.id), kind, escape(_about(one)), since, f"[{colour}]{escape(said)}[/]")
    Console(highlight=False).print(table)


def _about(seen: Seen) -> str:
    name, subject = seen.alert.facts.get("name"), seen.alert.subject
    return f"{name} ({subject})" if isinstance(name, str) and name else subject


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


@contextmanager
def _opened() -> Generator[tuple[MachineSettings, Database, AccountKey]]:
    settings = load(MachineSettings)
    logs.configure("backoffice", settings.log_level)
    with plain_errors(), open_database(settings) as database:
        yield settings, database, account_key(None, livemode=settings.livemode)
