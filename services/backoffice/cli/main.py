"""The `stocksync` command: words for people around the operations, and their exit codes."""

from __future__ import annotations

from typing import Final

import typer

from services.backoffice.cli.lazy import Lazy

PLACES: Final = {
    "up": "up",
    "pages": "pages",
    "users": "users",
    "doctor": "diagnosis",
    "init": "adoption",
    "stock": "stock",
    "restock": "stocktaking",
    "correct": "stocktaking",
    "adjust": "stocktaking",
    "import": "stock_import",
    "threshold": "threshold",
    "unplaced": "unplaced",
    "refunds": "refunds",
    "events": "events",
    "selling": "selling",
    "findings": "findings",
    "alerts": "alerts",
    "dead-letters": "dead_letters",
    "sales": "journal",
    "movements": "journal",
    "report": "report",
    "trend": "stock",
    "audit": "audit",
    "export": "export",
    "jobs": "jobs",
    "recover": "recover",
    "takeover": "repairs",
    "restored": "repairs",
    "customers": "audit",
    "probe": "diagnosis",
    "migrate": "upkeep",
    "health": "upkeep",
}
"""In which module each command is, in the order in which people see them."""


class Commands(Lazy):
    """All of them."""

    places = PLACES


app = typer.Typer(
    cls=Commands,
    help="Keeps the stock numbers in Stripe product metadata true.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def commands() -> None:
    """Keeps the stock numbers in Stripe product metadata true."""


def main(arguments: list[str] | None = None) -> None:
    """The entry point; None means what was typed."""
    app(arguments, prog_name="stocksync")
