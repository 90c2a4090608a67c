"""`stocksync jobs`: when the reconciler's jobs run, what became of them, and running one now."""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from services.backoffice.cli.surroundings import opened_account
from services.backoffice.operations import jobs as operations
from shared.broker.connect import connect
from shared.store.jobs import JobRun
from shared.vocabulary import JobName

app = typer.Typer(help="When jobs run, what became of them, and running one now.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
FOUND_LATER: Final = "The queue does not answer; the reconciler finds the job within a minute or so."
STATES: Final = {"done": "green", "failed": "bold red", "skipped": "yellow", "running": "cyan"}


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show when each job runs, and its latest run."""
    with opened_account() as (_, database, account):
        found = operations.known(database, account)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str, indent=2))
        return
    if not found:
        typer.echo("no job is planned: the reconciler has not run yet")
        return
    table = _table("job", "times", "next", "latest", "")
    for one in found:
        times = f"{one.planned.times} ({one.planned.zone})" if one.planned else "by hand"
        following = _moment(one.planned.next_at) if one.planned else ""
        table.add_row(
            one.job, times, following, _moment(one.latest and one.latest.planned_at), _state(one.latest)
        )
    Console(highlight=False).print(table)


@app.command()
def run(job: Annotated[str, typer.Argument(help="Its name, as `stocksync jobs list` shows it.")]) -> None:
    """Have a job run now, whatever the clock says."""
    with opened_account() as (settings, database, account), closing(connect(settings)) as broker:
        if job not in set(JobName):
            raise typer.BadParameter(f"no such job: {job}; there are {', '.join(sorted(JobName))}")
        asked = operations.run_now(database, broker, account, job, actor=getpass.getuser())
    typer.echo(f"{job} is to run now; `stocksync jobs history {job}` shows what became of it")
    if not asked.hinted:
        typer.echo(FOUND_LATER)


@app.command()
def history(
    job: Annotated[str | None, typer.Argument(help="Only this job.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many of the latest runs.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the latest runs and what they did."""
    with opened_account() as (_, database, account):
        found = operations.history(database, account, job, limit)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str, indent=2))
        return
    _print_runs(found)


def _print_runs(found: Sequence[JobRun]) -> None:
    if not found:
        typer.echo("nothing has run yet")
        return
    table = _table("planned for", "job", "", "by", "what it did")
    for one in found:
        figures = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in one.figures.items())
        by = one.actor + (f" ({one.reason})" if one.reason else "")
        table.add_row(_moment(one.planned_at), one.job, _state(one), by, one.error or figures)
    Console(highlight=False).print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "never"


def _state(run: JobRun | None) -> str:
    return f"[{STATES.get(run.state, 'default')}]{run.state}[/]" if run else ""
