"""`stocksync takeover` and `stocksync restored`: what only people can decide, in words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from threading import Event
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.surroundings import FOUND_LATER, opened_account
from services.backoffice.operations.restored import Restoration, Restored
from services.backoffice.operations.takeover import candidates, take_over
from shared import marker, paced_stripe
from shared.broker.connect import connect
from shared.store.repairs import Quarantined
from shared.vocabulary import ProductId

app = typer.Typer(add_completion=False)


@app.command()
def takeover(
    products: Annotated[list[str] | None, typer.Argument(help="Stripe's ids, prod_….")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever is in quarantine.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Say that Stripe's numbers are right as they stand, for products in quarantine."""
    if bool(products) == everything:
        raise typer.BadParameter("name products, or give --all")
    with opened_account() as (settings, database, account):
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


@app.command()
def restored(
    since: Annotated[
        str | None,
        typer.Option(
            help="Book sales paid since this moment, with a zone or the shop's; by default an hour before the"
            " backup's newest fact."
        ),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            help="An installation's id that was this database's, too, since the backup; a product's quarantine"
            " names it. Repeatable."
        ),
    ] = None,
) -> None:
    """Go on after the database was restored from a backup; run it while all stock workers are stopped."""
    for wrong in (one for one in also or () if not marker.INSTALLATION.fullmatch(one)):
        raise typer.BadParameter(f"{wrong!r} is no installation's id: lower-case letters and digits")
    with opened_account() as (settings, database, account):
        begins = moments.past(since, settings.zone)
        with closing(connect(settings)) as broker:
            stripe = paced_stripe.connect(settings, database, Event())
            done = Restoration(database, broker, stripe, account).run(begins, also or ())
    _print_restored(done, settings.zone)


def _print_plan(found: Sequence[Quarantined]) -> None:
    typer.echo(
        "The ledger takes over the numbers that Stripe shows then, as adjustments; sales that were booked until then"
        " count as taken off already. Our marker replaces the one that stands there."
    )
    for one in found:
        typer.echo(tables.visible(f"{one.id} ({one.name or 'no name'}): {one.reason}"))


def _print_restored(done: Restored, zone: ZoneInfo) -> None:
    typer.echo(f"this installation is {done.installation} from now on")
    typer.echo(
        f"sales paid since {moments.named(done.since, zone)}: {done.sessions} to be booked,"
        f" {done.booked_before} were booked before"
    )
    typer.echo(f"{done.products} products will be compared with Stripe and its event log")
    if not done.hinted:
        typer.echo(FOUND_LATER)
    typer.echo("Start the stock workers now.")
