"""`stocksync findings`: what does not add up between Stripe and the ledger, and what to do about it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import answer
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import opened_account
from services.backoffice.operations import findings as operations
from shared.store.findings import Finding

app = typer.Typer(
    add_completion=False, help="What does not add up, and what to do about it.", no_args_is_help=True
)

Ids = Annotated[list[int], typer.Argument(help="Numbers, as `stocksync findings list` shows them.")]
STATES: Final = {"open": "bold red", "acknowledged": "yellow", "resolved": "green"}


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also what is over.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many of the newest.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what is open or acknowledged, newest first."""
    with opened_account() as (settings, database, account):
        states = operations.EVERY if everything else operations.UNRESOLVED
        found = operations.found(database, account, states, limit)
    answer(
        found,
        partial(_print, settings.zone),
        nothing="nothing is wrong that a verification has found",
        as_json=as_json,
        document=_shown,
    )


@app.command()
def ack(ids: Ids, as_json: AsJson = False) -> None:
    """Say that you know of them: they stay until they are over, but no mail tells of them."""
    with opened_account() as (_, database, account):
        done = operations.acknowledge(database, account, ids, by=getpass.getuser())
    _print_done(done, "acknowledged", as_json=as_json)


@app.command()
def resolve(
    ids: Ids,
    how: Annotated[str, typer.Option(help="What was done about it.")] = "by hand",
    as_json: AsJson = False,
) -> None:
    """Say that they are over; the next verification opens what still is wrong anew."""
    with opened_account() as (_, database, account):
        done = operations.resolve(database, account, ids, by=getpass.getuser(), how=how)
    _print_done(done, "resolved", as_json=as_json)


def _shown(one: Finding) -> dict[str, object]:
    return {
        **asdict(one),
        "words": one.words,
        "first": one.first,
        "purpose": one.purpose,
        "command": one.command,
    }


def _print_done(done: Sequence[int], state: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({state: list(done)}))
        return
    for number in done:
        typer.echo(f"{number}: {state}")


def _print(zone: ZoneInfo, found: Sequence[Finding]) -> None:
    table = tables.table("", "product", "size", "what", "since", "", "what to do")
    for one in found:
        tables.add(
            table,
            one.id,
            one.name or one.product or one.subject,
            one.size,
            ": ".join(filter(None, (one.words, one.detail))),
            moments.named(one.first_seen_at, zone),
            tables.coloured(one.state, STATES[one.state]),
            _to_do(one),
        )
    tables.show(table)


def _to_do(one: Finding) -> str:
    """What is to be done, or what was."""
    if one.state == "resolved":
        return one.resolution
    return " ".join(filter(None, (one.first, f"{one.purpose}: `{one.command}`")))
