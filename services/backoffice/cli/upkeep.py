"""`stocksync migrate` and `stocksync health`: a database of this version, and whether what is needed answers."""

from __future__ import annotations

import typer

from services.backoffice.cli.listing import tell
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import FAILED, plain_errors
from services.backoffice.operations import health as operations
from shared import logs
from shared.database import migrate as migrations
from shared.database.connect import dsn
from shared.settings import BrokerSettings, DatabaseSettings, load

app = typer.Typer(add_completion=False)


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Prepare the database for this version; safe to run again, and at once by many."""
    settings = load(DatabaseSettings)
    logs.configure("migrate", settings.log_level)
    with plain_errors():
        applied = migrations.migrate(dsn(settings))
    lines = [f"applied {name}" for name in applied] or ["the database is up to date"]
    tell({"applied": applied}, *lines, as_json=as_json)


@app.command()
def health(as_json: AsJson = False) -> None:
    """Say whether the database and the queue answer; for a container's health check."""
    settings = load(BrokerSettings)
    logs.configure("health", "ERROR")
    with plain_errors():
        problems = operations.problems(settings)
    tell({"problems": problems}, *(problems or ["healthy"]), as_json=as_json)
    raise typer.Exit(FAILED if problems else 0)
