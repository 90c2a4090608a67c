"""The `stocksync` command: words for people around the operations, and their exit codes."""

from __future__ import annotations

from typing import Annotated

import typer

from services.backoffice.cli import (
    alerts,
    audit,
    dead_letters,
    diagnosis,
    export,
    findings,
    jobs,
    journal,
    recover,
    refunds,
    repairs,
    report,
    stock,
    stocktaking,
    unplaced,
)
from services.backoffice.cli.surroundings import FAILED, opened_account, plain_errors
from services.backoffice.operations import health as health_of
from services.backoffice.operations.thresholds import set_threshold
from services.backoffice.settings import UpSettings
from services.backoffice.supervisor import up as supervisor
from shared import logs
from shared.database import migrate as migrations
from shared.database.connect import dsn
from shared.settings import BrokerSettings, DatabaseSettings, load
from shared.vocabulary import ProductId, Size

app = typer.Typer(
    help="Keeps the stock numbers in Stripe product metadata true.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(diagnosis.doctor)
app.command()(diagnosis.probe)
app.command()(repairs.takeover)
app.command()(repairs.restored)
app.command()(recover.recover)
app.command()(report.report)
app.command()(stock.stock)
app.command()(stock.trend)
app.command()(journal.movements)
app.command()(journal.sales)
app.command(context_settings=stocktaking.SIGNED)(stocktaking.restock)
app.command(context_settings=stocktaking.SIGNED)(stocktaking.adjust)
app.command(context_settings=stocktaking.SIGNED)(stocktaking.correct)
app.command()(export.export)
app.command()(audit.audit)
app.add_typer(audit.customers, name="customers")
app.add_typer(jobs.app, name="jobs")
app.add_typer(refunds.app, name="refunds")
app.add_typer(alerts.app, name="alerts")
app.add_typer(findings.app, name="findings")
app.add_typer(unplaced.app, name="unplaced")
app.add_typer(dead_letters.app, name="dead-letters")


@app.command()
def up() -> None:
    """Run everything on this machine until Ctrl-C; print `ready` once webhooks are welcome."""
    settings = load(UpSettings)
    logs.configure("supervisor", settings.log_level)
    with plain_errors():
        code = supervisor.up(settings)
    raise typer.Exit(code)


@app.command()
def migrate() -> None:
    """Prepare the database for this version; safe to run again, and at once by many."""
    settings = load(DatabaseSettings)
    logs.configure("migrate", settings.log_level)
    with plain_errors():
        applied = migrations.migrate(dsn(settings))
    typer.echo("\n".join(f"applied {name}" for name in applied) or "the database is up to date")


@app.command()
def threshold(
    product: Annotated[str, typer.Argument(help="Stripe's id of the product, prod_….")],
    units: Annotated[int | None, typer.Argument(min=0, max=999_999, help="Low from here on.")] = None,
    size: Annotated[str | None, typer.Option(help="Only this size; '' for a product without sizes.")] = None,
    default: Annotated[bool, typer.Option("--default", help="Back to the product's or the shop's.")] = False,
) -> None:
    """Say when a product, or one size of it, counts as low in stock."""
    if (units is None) != default:
        raise typer.BadParameter("give the number of units, or --default")
    with opened_account() as (_, database, account):
        set_threshold(database, account, ProductId(product), units, size=None if size is None else Size(size))
    what = product if size is None else f"{product}, size {size or '(none)'}"
    typer.echo(f"{what}: " + ("the default applies again" if units is None else f"low at {units} or less"))


@app.command()
def health(
    url: Annotated[str, typer.Option(help="Ask the process that answers there instead.")] = "",
) -> None:
    """Say whether the database and the queue answer; for a container's health check."""
    settings = load(BrokerSettings)
    logs.configure("health", "ERROR")
    with plain_errors():
        problems = health_of.page(url) if url else health_of.stores(settings)
    typer.echo("\n".join(problems) or "healthy")
    raise typer.Exit(FAILED if problems else 0)


def main() -> None:
    """The entry point."""
    app(prog_name="stocksync")
