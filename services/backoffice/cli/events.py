"""`stocksync events`: what Stripe told, what became of it here, and telling it once more."""

from __future__ import annotations

import getpass
import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial
from threading import Event
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import answer
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import FAILED, opened_account
from services.backoffice.operations import event_replay
from services.backoffice.operations import events as operations
from services.backoffice.operations.event_standing import Word
from services.backoffice.operations.events import Asking, Desk, Entry, Shown
from services.backoffice.settings import MachineSettings
from shared import clock, paced_stripe
from shared.broker.connect import connect

STYLES: Final = {
    Word.DONE: "green",
    Word.RECOVERED: "green",
    Word.IGNORED: "dim",
    Word.UNHEARD: "bold red",
    Word.ASIDE: "bold red",
    Word.ODD: "bold red",
}

app = typer.Typer(
    add_completion=False,
    help="What Stripe told in the last 30 days, what became of it here, and telling it once more.",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    kind: Annotated[
        str | None,
        typer.Option("--type", help="Only these, such as product.updated, or checkout for a group."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="From this moment on, with a zone or the shop's; by default 30 days.")
    ] = None,
    undelivered: Annotated[
        bool, typer.Option("--undelivered", help="Only those that Stripe has not got rid of.")
    ] = False,
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many of the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show them, newest first."""
    with _desk() as (desk, settings):
        begins = moments.past(since, settings.zone) or clock.now() - operations.BACK
        found = operations.listed(desk, Asking(_types(kind), begins, undelivered, limit))
    answer(
        found,
        partial(_print, settings.zone),
        nothing="Stripe tells of no such event",
        as_json=as_json,
        document=_document,
    )


@app.command()
def show(
    event: Annotated[str, typer.Argument(help="Its id, evt_…")],
    as_json: AsJson = False,
) -> None:
    """Show one, and which sale or movements it led to; nothing of who bought."""
    with _desk() as (desk, settings):
        shown = operations.show(desk, event)
    if as_json:
        more = asdict(shown)
        del more["entry"]
        typer.echo(json.dumps({**_document(shown.entry), **more}, default=str, indent=2))
        return
    _print_one(settings.zone, shown)


@app.command()
def replay(
    events: Annotated[list[str], typer.Argument(help="Ids of events, evt_…")],
    as_json: AsJson = False,
) -> None:
    """Tell the stock worker of them once more, as their webhooks would have: nothing is booked twice."""
    with _desk() as (desk, settings), closing(connect(settings)) as broker:
        done = event_replay.replay(desk, broker, events, by=getpass.getuser())
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in done], indent=2))
    else:
        for one in done:
            typer.echo(tables.visible(f"{one.event}: {'sent' if one.sent else 'not sent'}: {one.what}"))
    if not all(one.sent for one in done):
        raise typer.Exit(FAILED)


@contextmanager
def _desk() -> Generator[tuple[Desk, MachineSettings]]:
    with opened_account() as (settings, database, account):
        yield Desk(account, database, paced_stripe.connect(settings, database, Event())), settings


def _types(kind: str | None) -> Sequence[str]:
    try:
        return operations.types(kind)
    except operations.NoSuchType as error:
        raise typer.BadParameter(str(error), param_hint="--type") from None


def _document(entry: Entry) -> Mapping[str, Any]:
    event = entry.event
    return {
        "id": event.id,
        "type": event.type,
        "at": event.created.isoformat(),
        "object": event.object,
        "owed": event.owed,
        "outcome": entry.standing.word.value,
        "why": entry.standing.why,
        "handled": entry.handled,
        "first_handled_at": entry.first_handled_at.isoformat() if entry.first_handled_at else None,
    }


def _print(zone: ZoneInfo, found: Sequence[Entry]) -> None:
    table = tables.table("when", "event", "type", "about", "delivered", "here")
    for one in found:
        event = one.event
        outcome = tables.coloured(one.outcome, STYLES.get(one.standing.word, "yellow"))
        when = moments.shown(event.created, zone)
        tables.add(table, when, event.id, event.type, event.object, one.delivered, outcome)
    tables.show(table)


def _print_one(zone: ZoneInfo, shown: Shown) -> None:
    entry, facts, sale = shown.entry, shown.facts, shown.sale
    table = tables.table("", "")
    rows: list[tuple[str, str]] = [
        ("event", entry.event.id),
        ("type", entry.event.type),
        ("when", moments.named(entry.event.created, zone)),
        ("about", entry.event.object),
        ("delivered", entry.delivered),
        ("here", entry.outcome),
    ]
    if entry.first_handled_at is not None:
        rows.append(("handled", f"{entry.handled}×, first {moments.named(entry.first_handled_at, zone)}"))
    rows += [(name, str(value)) for name, value in facts.said.items()]
    rows += [(name, _change(name, value, facts.before)) for name, value in facts.metadata.items()]
    rows += [
        (name, f"{value} → not there") for name, value in facts.before.items() if name not in facts.metadata
    ]
    if sale is not None:
        waits = f", {sale.unplaced} held for a person" if sale.unplaced else ""
        booked = moments.named(sale.booked_at, zone)
        rows.append(("sale", f"{sale.session}, {sale.lines} lines{waits}, booked {booked} ({sale.origin})"))
    if shown.asked is not None:
        rows.append(("asked", f"what came back of {shown.asked.session}: {shown.asked.state}"))
    for name, value in rows:
        tables.add(table, name, value)
    tables.show(table)
    _print_moved(zone, shown)


def _change(name: str, value: str, before: Mapping[str, str | None]) -> str:
    if name not in before:
        return value
    return f"{'not there' if before[name] is None else before[name]} → {value}"


def _print_moved(zone: ZoneInfo, shown: Shown) -> None:
    if not shown.moved:
        typer.echo("It moved no stock.")
        return
    table = tables.table("moved", "product", "size", "units", "when", "by", "why", right=("units",))
    for one in shown.moved:
        when = moments.shown(one.at, zone)
        name = one.name or one.product
        tables.add(table, one.kind, name, one.size, f"{one.delta:+,}", when, one.actor, one.reason)
    tables.show(table)
