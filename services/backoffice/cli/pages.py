"""`stocksync pages`: the web pages."""

from __future__ import annotations

import typer

from services.backoffice.cli.surroundings import account_of, open_database, plain_errors
from services.backoffice.settings import OFF, PagesSettings
from services.backoffice.supervisor.addresses import Taken
from services.backoffice.web.serve import serve
from shared import logs
from shared.settings import load

app = typer.Typer(add_completion=False)


@app.command()
def pages() -> None:
    """Serve the web pages until Ctrl-C, on BACKOFFICE_BIND."""
    settings = load(PagesSettings)
    logs.configure("backoffice", settings.log_level)
    with plain_errors():
        if settings.backoffice_bind == OFF:
            raise Taken("BACKOFFICE_BIND: it is off, so there are no pages to serve")
        with open_database(settings, size=8) as database:
            serve(settings, database, account_of(settings, database))
