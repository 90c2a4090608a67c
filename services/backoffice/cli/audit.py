"""`stocksync audit` and `stocksync customers`: the books of a period, and forgetting who bought."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.text import Text

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import tell
from services.backoffice.cli.opened import desk
from services.backoffice.cli.options import AsJson
from services.backoffice.operations.reports import audit as operations
from services.backoffice.operations.reports.audit import MOST_SOLD, Audit
from shared import clock
from shared.periods import Period
from shared.store.audit import SoldLine

FAILED: Final = 1
USUAL: Final = timedelta(days=30)

app = typer.Typer(add_completion=False)
customers = typer.Typer(help="Who bought, where that is kept.", no_args_is_help=True)
app.add_typer(customers, name="customers")


@app.command()
def audit(
    since: Annotated[str | None, typer.Option(help="From this moment on; 30 days back without.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this moment; now without.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help=f"List every sold line, not only the first {MOST_SOLD:,}.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the movements of a period with the sales they come from; 1 where something does not add up."""
    with desk() as opened:
        ends = clock.now() if until is None else moments.parse(until, opened.zone)
        begins = ends - USUAL if since is None else moments.parse(since, opened.zone)
        found = operations.audit(opened.ledger, Period(begins, ends), None if everything else MOST_SOLD)
        if as_json:
            typer.echo(json.dumps(asdict(found), default=str, indent=2))
        else:
            _show(found, opened.zone)
    raise typer.Exit(FAILED if found.problems else 0)


@customers.command("erase")
def erase(
    who: Annotated[str, typer.Argument(help="Stripe's id, cus_…, or the mail address.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    *,
    as_json: AsJson = False,
) -> None:
    """Forget a customer's id, name and mail address; what was sold stays in the ledger."""
    if not yes:
        typer.confirm("This can't be undone. Erase who bought?", abort=True)
    with desk() as opened:
        count = operations.erase(opened.ledger, who)
    line = f"erased from {count} {'sale' if count == 1 else 'sales'}; Stripe keeps its own record"
    tell({"erased_from_sales": count}, line, as_json=as_json)


def _show(found: Audit, zone: ZoneInfo) -> None:
    typer.echo(
        f"from {moments.shown(found.period.begins, zone)} to {moments.shown(found.period.ends, zone)} ({zone.key})"
    )
    _show_balances(found)
    _show_sold(found, zone)
    _show_held(found, zone)
    console = Console(highlight=False)
    for problem in found.problems:
        console.print(Text(tables.visible(problem), "bold red"))
    if not found.problems:
        console.print(Text("everything adds up", "green"))


def _show_balances(found: Audit) -> None:
    kinds = sorted({kind for one in found.balances for kind in one.kinds})
    made = tables.table(
        "product", "name", "size", "at first", *kinds, "at last", right=("at first", *kinds, "at last")
    )
    for one in found.balances:
        changes = (f"{one.kinds[kind]:+,}" if kind in one.kinds else "" for kind in kinds)
        tables.add(made, one.product, one.name, one.size, f"{one.opening:,}", *changes, f"{one.closing:,}")
    _titled("Stock", made, len(found.balances))


def _show_sold(found: Audit, zone: ZoneInfo) -> None:
    made = tables.table("booked", "session", "from", "product", "size", "units", "customer", right=("units",))
    for one in found.sold:
        when = moments.shown(one.at, zone)
        tables.add(made, when, one.session, one.origin, one.product, one.size, one.units, _who(one))
    _titled("Sales", made, len(found.sold))
    if found.more_sold:
        typer.echo(f"and {found.more_sold:,} more; --all lists them")


def _show_held(found: Audit, zone: ZoneInfo) -> None:
    made = tables.table("since", "session", "line", "product", "units", "", "why", right=("units",))
    for one in found.held:
        when, product = moments.shown(one.at, zone), one.product or ""
        tables.add(made, when, one.session, one.line, product, one.units, one.state, one.reason)
    _titled("Held for a person", made, len(found.held))


def _titled(title: str, made: tables.Table, rows: int) -> None:
    typer.echo(f"\n{title}" if rows else f"\n{title}: none")
    if rows:
        tables.show(made)


def _who(one: SoldLine) -> str:
    return " ".join(filter(None, (one.customer, one.buyer, f"<{one.email}>" if one.email else "")))
