"""`stocksync refunds`: what may have come back with a refund or a dispute, and saying what did."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from services.backoffice.cli import moments, tables
from services.backoffice.cli.listing import answer, tell
from services.backoffice.cli.options import AsJson
from services.backoffice.cli.surroundings import FOUND_LATER, opened_account
from services.backoffice.operations import refunds as operations
from services.backoffice.operations.refunds import Listed
from shared import money
from shared.broker.connect import connect
from shared.vocabulary import LineItemId, RefundId, is_dispute

app = typer.Typer(
    add_completion=False,
    help="What may have come back with a refund or a dispute, and saying what did.",
    no_args_is_help=True,
)

Id = Annotated[str, typer.Argument(help="The refund's id, re_…, or the dispute's, dp_… or du_….")]
SHOWN: Final = 200
Reason = Annotated[str, typer.Option(help="Why; it is kept with the decision.")]


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show refunds and disputes that wait for a word on what came back."""
    with opened_account() as (settings, database, account):
        states = operations.EVERY if every else operations.OPEN
        found = operations.listed(database, account, states, SHOWN)
    answer(
        found,
        partial(_print, settings.zone),
        nothing="no refund or dispute waits",
        as_json=as_json,
        document=_document,
    )


@app.command()
def accept(
    refund: Id,
    units: Annotated[
        list[str] | None, typer.Option(help="LINE=UNITS of a line, instead of what is proposed; repeatable.")
    ] = None,
    reason: Reason = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Put back into stock what came back: what is proposed, or the units given."""
    wanted = None if units is None else dict(_line(text) for text in units)
    with opened_account() as (settings, database, account), closing(connect(settings)) as broker:
        products, hinted = operations.accept(
            database, broker, account, RefundId(refund), units=wanted, by=getpass.getuser(), reason=reason
        )
    back = f"back in stock of {', '.join(products)}" if products else "nothing came back"
    later = FOUND_LATER if products and not hinted else ""
    tell({"refund": refund, "products": products}, f"{refund}: {back}", later, as_json=as_json)


@app.command()
def dismiss(refund: Id, reason: Reason = "", *, as_json: AsJson = False) -> None:
    """Say that nothing came back."""
    with opened_account() as (_, database, account):
        operations.dismiss(database, account, RefundId(refund), by=getpass.getuser(), reason=reason)
    tell({"refund": refund, "dismissed": True}, f"{refund}: nothing came back", as_json=as_json)


def _line(text: str) -> tuple[LineItemId, int]:
    line, _, number = text.rpartition("=")
    if not line or not (number.isascii() and number.isdigit()):
        raise typer.BadParameter(f"{text!r} is not LINE=UNITS, such as li_1Abc=2")
    return LineItemId(line), int(number)


def _document(one: Listed) -> object:
    return {**asdict(one), "dispute": is_dispute(one.refund.id)}


def _print(zone: ZoneInfo, found: Sequence[Listed]) -> None:
    table = tables.table("id", "amount", "since", "state", "line", "product", "size", "sold", "back?")
    for one in found:
        refund = one.refund
        amount = money.readable(refund.amount, refund.currency)
        head = (
            refund.id,
            f"{amount} ({one.what})",
            moments.named(refund.proposed_at, zone),
            refund.state,
        )
        if not one.lines:
            tables.add(table, *head, "", refund.reason, "", "", "")
        for number, line in enumerate(one.lines):
            row = ("",) * 4 if number else head
            tables.add(
                table, *row, line.line, line.name or line.product, line.size, line.sold, one.back(line)
            )
    tables.show(table)
