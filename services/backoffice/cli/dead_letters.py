"""`stocksync dead-letters`: messages that could not be handled, and what is to become of them."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import answer
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import plain_errors
from services.backoffice.operations import dead_letters as operations
from services.backoffice.settings import MachineSettings
from shared import logs
from shared.broker.connect import connect
from shared.broker.port import Broker, Parked
from shared.settings import load

app = typer.Typer(
    add_completion=False,
    help="Messages that could not be handled and lie aside: see why, have them handled again, or drop them.",
    no_args_is_help=True,
)

Ids = Annotated[list[str], typer.Argument(help="Message ids, as `stocksync dead-letters list` shows them.")]
Queues = Annotated[list[str] | None, typer.Option("--queue", help="Only of this queue; repeatable.")]


@app.command("list")
def list_(
    queue: Queues = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many of the oldest of each queue.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show them with the reason; not what they hold."""
    with _broker() as (broker, zone):
        found = operations.parked(broker, _known(queue), limit)
    answer(
        found,
        partial(_print, zone),
        nothing="no message lies aside",
        as_json=as_json,
        document=_without_body,
    )


@app.command()
def show(ids: Ids, as_json: AsJson = False) -> None:
    """Show all that these hold."""
    with _broker() as (broker, zone):
        found = operations.named(broker, ids)
    if as_json:
        shown = [{**_without_body(letter), "body": _text(letter)} for letter in found]
        typer.echo(json.dumps(shown, default=str, indent=2))
        return
    for letter in found:
        _print(zone, [letter])
        typer.echo(f"\n{_readable(letter)}\n")


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Message ids, as `list` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever lies aside.")] = False,
    queue: Queues = None,
    as_json: AsJson = False,
) -> None:
    """Have them handled again, once what the reason names is mended: nothing is booked twice."""
    if bool(ids) == everything:
        raise typer.BadParameter("name messages, or give --all")
    if ids and queue:
        raise typer.BadParameter("--queue goes with --all only: an id says which message is meant")
    with _broker() as (broker, _):
        moved = (
            operations.replay_all(broker, _known(queue))
            if everything
            else operations.replay(broker, ids or ())
        )
    _told(moved, "handled_again", "to be handled again", as_json=as_json)


@app.command()
def drop(
    ids: Ids,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Throw them away. A paid session among them is found once more by `stocksync recover`."""
    with _broker() as (broker, zone):
        found = operations.named(broker, ids)
        if not yes:
            _print(zone, found)
            typer.confirm(f"Throw away {_messages(len(found))}?", abort=True)
        gone = operations.drop(broker, ids)
    _told(gone, "dropped", "dropped", as_json=as_json)


@contextmanager
def _broker() -> Generator[tuple[Broker, ZoneInfo]]:
    settings = load(MachineSettings)
    logs.configure("backoffice", settings.log_level)
    with plain_errors(), closing(connect(settings)) as broker:
        yield broker, settings.zone


def _known(queues: Sequence[str] | None) -> Sequence[str]:
    for queue in queues or ():
        if queue not in operations.QUEUES:
            raise typer.BadParameter(f"no such queue: {queue}; there are {', '.join(operations.QUEUES)}")
    return queues or ()


def _print(zone: ZoneInfo, letters: Sequence[Parked]) -> None:
    table = tables.table("queue", "message", "since", "attempts", "reason")
    for letter in letters:
        since = moments.named(letter.parked_at, zone)
        tables.add(table, letter.queue, letter.message_id, since, letter.attempts, letter.reason)
    tables.show(table)


def _told(count: int, key: str, what: str, *, as_json: bool) -> None:
    typer.echo(json.dumps({key: count}) if as_json else f"{_messages(count)}: {what}")


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"


def _without_body(letter: Parked) -> dict[str, object]:
    return {name: value for name, value in asdict(letter).items() if name != "body"}


def _text(letter: Parked) -> str:
    return letter.body.decode(errors="replace")


def _readable(letter: Parked) -> str:
    """The body indented where it is JSON; on one line, without what a terminal would obey, where it is not."""
    try:
        return json.dumps(json.loads(letter.body), indent=2)
    except ValueError:
        return tables.visible(_text(letter))
