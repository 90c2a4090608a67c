"""`stocksync jobs`: when the reconciler's jobs run, what became of them, and running one now."""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import tell
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import opened_account
from services.backoffice.operations import jobs as operations
from shared.broker.connect import connect
from shared.store.jobs import JobRun
from shared.vocabulary import JobName

app = typer.Typer(
    add_completion=False,
    help="When jobs run, what became of them, and running one now.",
    no_args_is_help=True,
)

FOUND_LATER: Final = "The queue does not answer; the reconciler finds the job within a minute or so."
STATES: Final = {"done": "green", "failed": "bold red", "skipped": "yellow", "running": "cyan"}


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show when each job runs, and its latest run."""
    with opened_account() as (settings, database, account):
        found = operations.known(database, account)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str, indent=2))
        return
    if not any(one.planned or one.latest for one in found):
        typer.echo("no job is planned: the reconciler has not run yet")
        return
    table = tables.table("job", "times", "next", "latest", "")
    for one in found:
        times = f"{one.planned.times} ({one.planned.zone})" if one.planned else "by hand"
        following = _moment(one.planned.next_at, settings.zone) if one.planned else ""
        latest = _moment(one.latest and one.latest.planned_at, settings.zone)
        tables.add(table, one.job, times, following, latest, _state(one.latest))
    tables.show(table)


@app.command()
def run(
    job: Annotated[str, typer.Argument(help=f"One of {', '.join(sorted(JobName))}.")],
    as_json: AsJson = False,
) -> None:
    """Have a job run now, whatever the clock says."""
    _must_be_one(job)
    with opened_account() as (settings, database, account), closing(connect(settings)) as broker:
        asked = operations.run_now(database, broker, account, job, actor=getpass.getuser())
    line = f"{job} is to run now; `stocksync jobs history {job}` shows what became of it"
    tell(asdict(asked), line, "" if asked.hinted else FOUND_LATER, as_json=as_json)


@app.command()
def history(
    job: Annotated[str | None, typer.Argument(help="Only this job.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many of the latest runs.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the latest runs and what they did."""
    if job is not None:
        _must_be_one(job)
    with opened_account() as (settings, database, account):
        found = operations.history(database, account, job, limit)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str, indent=2))
        return
    _print_runs(found, settings.zone)


def _must_be_one(job: str) -> None:
    if job not in set(JobName):
        raise typer.BadParameter(f"no such job: {job}; there are {', '.join(sorted(JobName))}")


def _print_runs(found: Sequence[JobRun], zone: ZoneInfo) -> None:
    if not found:
        typer.echo("nothing has run yet")
        return
    table = tables.table("planned for", "job", "", "by", "what it did")
    for one in found:
        figures = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in one.figures.items())
        by = one.actor + (f" ({one.reason})" if one.reason else "")
        tables.add(table, _moment(one.planned_at, zone), one.job, _state(one), by, one.error or figures)
    tables.show(table)


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return moments.named(at, zone) if at else "never"


def _state(run: JobRun | None) -> Text:
    return tables.coloured(run.state, STATES.get(run.state, "default")) if run else Text()
