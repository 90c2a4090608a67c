"""`stocksync threshold`: from which number on a product counts as low."""

from __future__ import annotations

from typing import Annotated

import typer

from services.backoffice.cli.surroundings import opened_account
from services.backoffice.operations.thresholds import set_threshold
from shared.vocabulary import ProductId, Size

app = typer.Typer(add_completion=False)


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
