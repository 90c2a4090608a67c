"""The `stocksync` command: words for people around the operations, and their exit codes."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer

from services.backoffice.cli import diagnosis
from services.backoffice.operations import health as health_of
from services.backoffice.operations.thresholds import NeverSeen, set_threshold
from services.backoffice.settings import UpSettings
from services.backoffice.supervisor import up as supervisor
from services.backoffice.supervisor.addresses import Taken
from shared import logs
from shared.database import migrate as migrations
from shared.database.connect import dsn
from shared.database.errors import WrongDatabase
from shared.database.pool import Database
from shared.outcomes import Outage
from shared.settings import WRONG_SETTING, BrokerSettings, DatabaseSettings, StripeSettings, load
from shared.vocabulary import ProductId, Size, account_key

FAILED = 1
app = typer.Typer(
    help="Keeps the stock numbers in Stripe product metadata true.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(diagnosis.doctor)
app.command()(diagnosis.probe)


@app.command()
def up() -> None:
    """Run everything on this machine until Ctrl-C; print `ready` once webhooks are welcome."""
    settings = load(UpSettings)
    logs.configure("supervisor", settings.log_level)
    with _plain_errors():
        code = supervisor.up(settings)
    raise typer.Exit(code)


@app.command()
def migrate() -> None:
    """Prepare the database for this version; safe to run again, and at once by many."""
    settings = load(DatabaseSettings)
    logs.configure("migrate", settings.log_level)
    with _plain_errors():
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
    stripe, settings = load(StripeSettings), load(DatabaseSettings)
    logs.configure("backoffice", settings.log_level)
    account = account_key(None, livemode=stripe.livemode)
    with _plain_errors(), _database(settings) as database:
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
    with _plain_errors():
        problems = health_of.page(url) if url else health_of.stores(settings)
    typer.echo("\n".join(problems) or "healthy")
    raise typer.Exit(FAILED if problems else 0)


def main() -> None:
    """The entry point."""
    app(prog_name="stocksync")


@contextmanager
def _database(settings: DatabaseSettings) -> Generator[Database]:
    address = dsn(settings)
    migrations.check(address)
    database = Database(address, name="stocksync backoffice", size=2)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _plain_errors() -> Generator[None]:
    """What people can do something about is one line, not a traceback."""
    try:
        yield
    except Taken as error:
        _end(str(error), WRONG_SETTING)
    except WrongDatabase as error:
        _end(f"DATABASE_URL: {error}", WRONG_SETTING)
    except (NeverSeen, Outage) as error:
        _end(str(error), FAILED)


def _end(line: str, code: int) -> NoReturn:
    sys.stderr.write(f"stocksync: {line}\n")
    raise SystemExit(code)
