"""`stocksync up`: the whole pipeline on one machine."""

from __future__ import annotations

import typer

from services.backoffice.cli.surroundings import plain_errors
from services.backoffice.settings import UpSettings
from services.backoffice.supervisor import up as supervisor
from shared import logs
from shared.settings import load

app = typer.Typer(add_completion=False)


@app.command()
def up() -> None:
    """Run everything on this machine until Ctrl-C; print `ready` once webhooks are welcome."""
    settings = load(UpSettings)
    logs.configure("supervisor", settings.log_level)
    with plain_errors():
        code = supervisor.up(settings)
    raise typer.Exit(code)
