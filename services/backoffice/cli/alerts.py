"""`stocksync alerts`: what is open, and saying that somebody sees to it or that it can wait."""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import answer
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import opened_account, plain_errors
from services.backoffice.operations import alerts as operations
from services.backoffice.operations.alerts import Seen
from shared import clock
from shared.settings import ZoneSettings, load

app = typer.Typer(
    add_completion=False,
    help="What is open, and saying that it is seen to or can wait.",
    no_args_is_help=True,
)

Ids = Annotated[list[int], typer.Argument(help="As `stocksync alerts list` shows them.", min=1)]
STATES: Final = {"waits": "cyan", "refused": "bold red", "told": "default"}


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many of the newest.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Show what is open, newest first."""
    with opened_account() as (settings, database, account):
        found = operations.still_open(database, account, limit, now=clock.now())
    answer(
        found,
        partial(_print, settings.zone),
        nothing="nothing is open",
        as_json=as_json,
        document=_document,
    )


@app.command()
def ack(ids: Ids, as_json: AsJson = False) -> None:
    """Say that somebody sees to it: it is not told again while it lasts."""
    with opened_account() as (_, database, account):
        operations.acknowledge(database, account, ids, actor=getpass.getuser())
    _said_of(as_json, {"acknowledged": ids}, "not told again while it lasts")


@app.command()
def snooze(
    ids: Ids,
    until: Annotated[
        str | None, typer.Option(help="When: 2026-05-04T10:30, with a zone or the shop's.")
    ] = None,
    length: Annotated[str | None, typer.Option("--for", help="How long: 90m, 3h, 2d, 1w.")] = None,
    as_json: AsJson = False,
) -> None:
    """Have it wait: it is told then, again if need be, if it still lasts."""
    zone = load(ZoneSettings).zone
    with plain_errors():
        at = _wake(until, length, zone)
    with opened_account() as (_, database, account):
        operations.snooze(database, account, ids, at)
    told = f"told at {moments.named(at, zone)}, if it still lasts"
    _said_of(as_json, {"snoozed": ids, "until": at.astimezone(zone).isoformat()}, told)


def _wake(until: str | None, length: str | None, zone: ZoneInfo) -> datetime:
    """When a snooze ends, aware; raises BadParameter, NoMoment."""
    now = clock.now()
    if (until is None) == (length is None):
        raise typer.BadParameter("give either --until or --for")
    at = moments.parse(until, zone) if until is not None else now + _span(length or "")
    if not now < at <= now + operations.LONGEST:
        raise typer.BadParameter("--until must be within the next year")
    return at


def _span(length: str) -> timedelta:
    try:
        return operations.span(length)
    except operations.NoSpan as error:
        raise typer.BadParameter(f"--for {error}") from None


def _said_of(as_json: bool, machine: dict[str, object], words: str) -> None:
    typer.echo(json.dumps(machine) if as_json else words)


def _document(one: Seen) -> object:
    return {**asdict(one.alert), "state": one.state}


def _print(zone: ZoneInfo, found: Sequence[Seen]) -> None:
    table = tables.table("id", "kind", "about", "since", "")
    for one in found:
        alert, state = one.alert, tables.coloured(_said(one, zone), STATES.get(one.state, "dim"))
        since = moments.named(alert.raised_at, zone)
        tables.add(table, alert.id, one.kind, one.about, since, state)
    tables.show(table)


def _said(seen: Seen, zone: ZoneInfo) -> str:
    """The state, with who said so or how long it lasts."""
    alert = seen.alert
    if seen.state == "acknowledged":
        return f"acknowledged by {alert.acknowledged_by}"
    if seen.state == "snoozed" and alert.snoozed_until is not None:
        return f"snoozed until {moments.named(alert.snoozed_until, zone)}"
    return seen.state
