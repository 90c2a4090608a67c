"""`stocksync init`: the numbers in Stripe are taken over, and those that can't be read are listed."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from threading import Event

import typer

from services.backoffice.cli import progress, tables
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import FAILED, opened_account
from services.backoffice.operations.looks import Patience
from services.backoffice.operations.stocktaking import Shop
from services.backoffice.operations.whole_stock import adoption
from services.backoffice.operations.whole_stock.adoption import Adopted
from shared import paced_stripe
from shared.broker.connect import connect

app = typer.Typer(add_completion=False)


@app.command()
def init(as_json: AsJson = False) -> None:
    """Take over Stripe's numbers for a shop that starts, and list what can't be read there.

    The stock worker has to run. To start it again is harmless.
    """
    with opened_account() as (settings, database, account), closing(connect(settings)) as broker:
        stripe = paced_stripe.connect(settings, database, Event())
        with progress.bar("products taken over") as tell:
            done = adoption.adopt(Shop(database, broker, account), stripe, Patience(tell=tell))
    if as_json:
        typer.echo(json.dumps(asdict(done), indent=2))
    else:
        _print(done)
    if done.unread:
        raise typer.Exit(FAILED)


def _print(done: Adopted) -> None:
    if done.unread:
        made = tables.table("product", "size", "what can't be read", "what to do in Stripe's Dashboard")
        for one in done.unread:
            name = f"{one.name} ({one.product})" if one.name else one.product
            tables.add(made, name, one.size or "", one.what, one.todo)
        tables.show(made)
    kept = done.kept
    typer.echo(
        f"Stripe lists {done.listed:,} products, {done.keeping:,} of them with stock: {kept.units:,} units of"
        f" {kept.products:,} products in {kept.sizes:,} sizes are kept now."
    )
    if done.unread:
        typer.echo(
            "What is listed above is not among them; numbers that are put right in Stripe are taken over by themselves."
        )
    elif not done.keeping:
        typer.echo("Give a product `sizes` and `stock_<size>`, or `stock` alone, in its metadata.")
