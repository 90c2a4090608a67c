"""`stocksync recover`: what no webhook told of, in words; with --yes it is told to the stock worker."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from threading import Event
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import opened_account
from services.backoffice.operations import recover as operations
from services.backoffice.operations.recover import Recovery
from shared import paced_stripe
from shared.broker.connect import connect
from shared.messages import ProductChanged, SessionPaid
from shared.recovery.plan import Missed
from shared.recovery.search import Places

ROWS: Final = 50
"""Lines of the table; the rest is counted."""

app = typer.Typer(add_completion=False)


@app.command()
def recover(
    since: Annotated[
        str | None,
        typer.Option(
            help="From this moment on, with a zone or the shop's; by default 72 hours of sales and 30 days of"
            " undelivered events."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Have it booked; otherwise it is only shown.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find paid sales and product changes that no webhook told of."""
    with opened_account() as (settings, database, account):
        begins = moments.past(since, settings.zone)
        with closing(connect(settings)) as broker:
            stripe = paced_stripe.connect(settings, database, Event())
            places = Places(account, database, broker, stripe, Event())
            done = operations.recover(places, since=begins, tell=yes)
    if as_json:
        typer.echo(json.dumps(_facts(done), indent=2))
    else:
        _print(done, settings.zone, by_itself=since is None)


def _facts(done: Recovery) -> dict[str, Any]:
    return {
        "sessions_since": done.window.sessions_since.isoformat(),
        "events_since": done.window.events_since.isoformat(),
        "told": done.told,
        **done.tally.figures,
        "reasons": dict(done.tally.reasons),
        "missed": [
            {"what": what, "at": at.isoformat(), "event": event, "why": one.why.value}
            for one in done.shown
            for what, at, event in (_row(one),)
        ],
    }


def _print(done: Recovery, zone: ZoneInfo, *, by_itself: bool) -> None:
    tally = done.tally
    if done.shown:
        table = tables.table("missed", "paid or changed", "why")
        for one in done.shown[:ROWS]:
            what, at, _ = _row(one)
            tables.add(table, what, moments.named(at, zone), one.why.value)
        tables.show(table)
    if (more := tally.sales + tally.products - ROWS) > 0:
        typer.echo(f"and {more:,} more")
    typer.echo(
        f"since {moments.named(done.window.sessions_since, zone)}: {tally.sales:,} sales and"
        f" {tally.products:,} product changes were missed, {tally.in_transit:,} sales are on their way"
    )
    if tally.parked:
        typer.echo(f"{tally.parked:,} more are in the dead letters, which somebody has to look at")
    if tally.unlisted:
        typer.echo(f"{tally.unlisted:,} sales are booked that Stripe does not show as paid")
    if not done.shown:
        return
    if done.told:
        typer.echo("The stock worker was told of all of them.")
        return
    meanwhile = " The reconciler does the same by itself." if by_itself else ""
    typer.echo(f"Nothing was changed; --yes has all of them booked.{meanwhile}")


def _row(missed: Missed) -> tuple[str, datetime, str | None]:
    """What it is about, when it happened, the event that tells of it."""
    match missed.message:
        case SessionPaid(session=what, at=at, event=event):
            return what, at, event
        case ProductChanged(product=what, at=at, event=event):
            return what, at, event
        case other:
            raise TypeError(other.type)
