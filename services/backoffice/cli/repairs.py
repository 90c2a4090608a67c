"""`stocksync takeover` and `stocksync restored`: what only people can decide, in words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from threading import Event
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import tell
from services.backoffice.cli.options import AsJson
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
    *,
    as_json: AsJson = False,
) -> None:
    """Say that Stripe's numbers are right as they stand, for products in quarantine."""
    if bool(products) == everything:
        raise typer.BadParameter("name products, or give --all")
    if as_json and not yes:
        raise typer.BadParameter("--json asks nobody: give --yes with it")
    with opened_account() as (settings, database, account):
        wanted = None if everything else [ProductId(product) for product in products or ()]
        found = candidates(database, account, wanted)
        if not found:
            tell({"taken_over": []}, "nothing is in quarantine", as_json=as_json)
            return
        if not as_json:
            _print_plan(found)
        if not yes:
            typer.confirm("Are Stripe's numbers right?", abort=True)
        with closing(connect(settings)) as broker:
            taken, hinted = take_over(database, broker, account, [one.id for one in found])
    lines = [
        f"{one.id}: " + ("will be taken over" if one.id in taken else "left quarantine meanwhile")
        for one in found
    ]
    tell({"taken_over": sorted(taken)}, *lines, "" if hinted else FOUND_LATER, as_json=as_json)


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
    *,
    as_json: AsJson = False,
) -> None:
    """Go on after the database was restored from a backup; run it while all stock workers are stopped."""
    for wrong in (one for one in also or () if not marker.INSTALLATION.fullmatch(one)):
        raise typer.BadParameter(f"{wrong!r} is no installation's id: lower-case letters and digits")
    with opened_account() as (settings, database, account):
        begins = moments.past(since, settings.zone)
        with closing(connect(settings)) as broker:
            stripe = paced_stripe.connect(settings, database, Event())
            done = Restoration(database, broker, stripe, account).run(begins, also or ())
    tell(asdict(done), *_restored_lines(done, settings.zone), as_json=as_json)


def _print_plan(found: Sequence[Quarantined]) -> None:
    typer.echo(
        "The ledger takes over the numbers that Stripe shows then, as adjustments; sales that were booked until then"
        " count as taken off already. Our marker replaces the one that stands there."
    )
    for one in found:
        typer.echo(tables.visible(f"{one.id} ({one.name or 'no name'}): {one.reason}"))


def _restored_lines(done: Restored, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        f"this installation is {done.installation} from now on",
        (
            f"sales paid since {moments.named(done.since, zone)}: {done.sessions} to be booked,"
            f" {done.booked_before} were booked before"
        ),
        f"{done.products} products will be compared with Stripe and its event log",
        "" if done.hinted else FOUND_LATER,
        "Start the stock workers now.",
    )
