"""`stocksync threshold`: from which number on a product counts as low."""

from __future__ import annotations

from typing import Annotated

import typer

from services.backoffice.cli import tables
from services.backoffice.cli.listing import tell
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import opened_account
from services.backoffice.operations.changeable import called
from services.backoffice.operations.reports.products import find
from services.backoffice.operations.thresholds import set_threshold
from shared.vocabulary import Size

app = typer.Typer(add_completion=False)


@app.command()
def threshold(
    product: Annotated[str, typer.Argument(help="Its id, its name, or how one of them begins.")],
    units: Annotated[int | None, typer.Argument(min=0, max=999_999, help="Low from here on.")] = None,
    size: Annotated[str | None, typer.Option(help="Only this size; '' for a product without sizes.")] = None,
    default: Annotated[bool, typer.Option("--default", help="Back to the product's or the shop's.")] = False,
    *,
    as_json: AsJson = False,
) -> None:
    """Say when a product, or one size of it, counts as low in stock."""
    if (units is None) != default:
        raise typer.BadParameter("give the number of units, or --default")
    with opened_account() as (_, database, account):
        named = find(database, account, product)
        set_threshold(database, account, named.id, units, size=None if size is None else Size(size))
    name = tables.visible(called(named.id, named.name))
    what = name if size is None else f"{name}, size {size or '(none)'}"
    says = "the default applies again" if units is None else f"low at {units} or less"
    facts = {"product": named.id, "size": size, "threshold": units}
    tell(facts, f"{what}: {says}", as_json=as_json)
