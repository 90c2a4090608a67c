"""`stocksync selling`: what was taken off sale because it is gone, and putting something back by hand."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import opened_account
from services.backoffice.operations import selling as operations
from services.backoffice.operations.changeable import called
from services.backoffice.operations.selling import Halted
from shared.selling import Expiry, ExpiryState, Stop, StopState

app = typer.Typer(
    add_completion=False,
    help="What was taken off sale because it is gone, and putting something back by hand.",
    no_args_is_help=True,
)

STATES: Final = {StopState.STOPPED: "bold red", StopState.RESUMED: "green", StopState.LEFT: "yellow"}
ENDS: Final = {ExpiryState.EXPIRED: "yellow", ExpiryState.OVER: "dim"}


@app.command("list")
def list_(
    days: Annotated[int, typer.Option(min=1, max=365, help="What changed in so many days, too.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Show what is off sale and since when, and what changed or was expired lately."""
    with opened_account() as (settings, database, account):
        found = operations.listed(database, account, days)
    if as_json:
        names = found.names
        shown = {
            "stops": [{**_document(one), "name": names.get(one.product, "")} for one in found.stops],
            "expired_sessions": [
                {**asdict(one), "name": names.get(one.product, "")} for one in found.sessions
            ],
        }
        typer.echo(json.dumps(shown, default=str, indent=2))
        return
    if found.stops:
        _print_stops(found, settings.zone)
    if found.sessions:
        _print_sessions(found, settings.zone)
    if not (found.stops or found.sessions):
        typer.echo("nothing is off sale; STOP_SELLING and EXPIRE_SESSIONS say what is to be")


@app.command()
def resume(
    thing: Annotated[str, typer.Argument(metavar="ID", help="The payment link's or the product's id.")],
    as_json: AsJson = False,
) -> None:
    """Put one back on sale now; it is not stopped again before it was in stock once."""
    with opened_account() as (_, database, account):
        stop = operations.resume(database, account, thing, by=getpass.getuser())
    if as_json:
        typer.echo(json.dumps(_document(stop), default=str, indent=2))
    else:
        typer.echo(
            f"{tables.visible(stop.object)} goes back on sale within seconds, if the stock worker runs"
        )


def _document(stop: Stop) -> dict[str, object]:
    """What machines are told; how calls are made is nobody's business."""
    return {name: value for name, value in asdict(stop).items() if name not in {"key", "attempt", "due"}}


def _print_stops(found: Halted, zone: ZoneInfo) -> None:
    table = tables.table("off sale", "", "gone", "", "since", "why")
    for one in found.stops:
        state = tables.coloured(one.state, STATES.get(one.state, "default"))
        why = one.why or ("it is gone" if one.state is StopState.STOPPED else "")
        since = moments.named(one.changed_at, zone)
        tables.add(table, one.object, one.offer, _gone(one, found), state, since, why)
    tables.show(table)


def _print_sessions(found: Halted, zone: ZoneInfo) -> None:
    table = tables.table("session", "gone", "", "when")
    for one in found.sessions:
        state = tables.coloured(one.state, ENDS.get(one.state, "default"))
        at = moments.named(one.ended_at or one.planned_at, zone)
        tables.add(table, one.session, _gone(one, found), state, at)
    tables.show(table)


def _gone(one: Stop | Expiry, found: Halted) -> str:
    return called(one.product, found.names.get(one.product, ""), one.size)
