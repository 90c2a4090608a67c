"""`stocksync takeover` and `stocksync restored`: what only people can decide, in words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from threading import Event
from typing import Annotated

import typer

from services.backoffice.cli.surroundings import open_database, plain_errors
from services.backoffice.operations.restored import Restoration, Restored
from services.backoffice.operations.takeover import candidates, take_over
from services.backoffice.settings import MachineSettings
from shared import clock, logs, paced_stripe
from shared.broker.connect import connect
from shared.settings import load
from shared.store.repairs import Quarantined
from shared.vocabulary import ProductId, account_key

FOUND_LATER = "The queue does not answer; the reconciler finds the products within a minute or so."


def takeover(
    products: Annotated[list[str] | None, typer.Argument(help="Stripe's ids, prod_….")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever is in quarantine.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Say that Stripe's numbers are right as they stand, for products in quarantine."""
    if bool(products) == everything:
        raise typer.BadParameter("name products, or give --all")
    settings = load(MachineSettings)
    logs.configure("backoffice", settings.log_level)
    account = account_key(None, livemode=settings.livemode)
    with plain_errors(), open_database(settings) as database:
        wanted = None if everything else [ProductId(product) for product in products or ()]
        found = candidates(database, account, wanted)
        if not found:
            typer.echo("nothing is in quarantine")
            return
        _print_plan(found)
        if not yes:
            typer.confirm("Are Stripe's numbers right?", abort=True)
        with closing(connect(settings)) as broker:
            taken, hinted = take_over(database, broker, account, [one.id for one in found])
    for one in found:
        typer.echo(f"{one.id}: " + ("will be taken over" if one.id in taken else "left quarantine meanwhile"))
    if not hinted:
        typer.echo(FOUND_LATER)


def restored(
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
            help="Book sales paid since then (UTC); by default an hour before the backup's newest fact.",
        ),
    ] = None,
) -> None:
    """Go on after the database was restored from a backup; run it while all stock workers are stopped."""
    settings = load(MachineSettings)
    logs.configure("backoffice", settings.log_level)
    if since is not None:
        since = since.replace(tzinfo=UTC)
        if since > clock.now():
            raise typer.BadParameter("--since is in the future")
    account = account_key(None, livemode=settings.livemode)
    with plain_errors(), open_database(settings) as database, closing(connect(settings)) as broker:
        stripe = paced_stripe.connect(settings, database, Event())
        done = Restoration(database, broker, stripe, account).run(since)
    _print_restored(done)


def _print_plan(found: Sequence[Quarantined]) -> None:
    typer.echo(
        "The ledger takes over the numbers that Stripe shows then, as adjustments; sales that were booked until then"
        " count as taken off already. Our marker replaces the one that stands there."
    )
    for one in found:
        typer.echo(f"{one.id} ({one.name or 'no name'}): {one.reason}")


def _print_restored(done: Restored) -> None:
    typer.echo(f"this installation is {done.installation} from now on")
    typer.echo(
        f"sales paid since {done.since:%Y-%m-%d %H:%M} UTC: {done.sessions} to be booked,"
        f" {done.booked_before} were booked before"
    )
    typer.echo(f"{done.products} products will be compared with Stripe and its event log")
    if not done.hinted:
        typer.echo(FOUND_LATER)
    typer.echo("Start the stock workers now.")
