"""`stocksync doctor` and `stocksync probe`: what was found, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.backoffice.operations.doctor.examine import examine
from services.backoffice.operations.doctor.finding import Finding, Verdict, exit_code
from services.backoffice.settings import MachineSettings
from shared import logs
from shared.settings import load

WIDEST: Final = 120  # columns; longer lines are hard to read
STYLES: Final = {
    Verdict.OK: "green",
    Verdict.WARNING: "bold yellow",
    Verdict.FAILED: "bold red",
    Verdict.SKIPPED: "dim",
}


def doctor(
    ingest: Annotated[
        str, typer.Option(help="Where ingest is, http://HOST:PORT, if not at INGEST_BIND.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Look at everything the pipeline stands on, and say what to do; 0 well, 1 something failed, 2 a setting."""
    settings = load(MachineSettings)
    logs.configure("doctor", "ERROR")
    found = examine(settings, ingest)
    findings = list(found) if as_json else _shown(found)
    code = exit_code(findings)
    if as_json:
        typer.echo(json.dumps({"exit_code": code, "findings": [asdict(f) for f in findings]}, indent=2))
    raise typer.Exit(code)


def _shown(found: Iterable[Finding]) -> list[Finding]:
    """Print each finding as it comes, one row of a table."""
    console = Console(highlight=False)
    findings: list[Finding] = []
    for finding in found:
        findings.append(finding)
        style = STYLES[finding.verdict]
        row = Table.grid(padding=(0, 2), expand=False)
        for width in (7, 16, None):
            row.add_column(width=width)
        verdict, name = Text(finding.verdict, style=style), Text(finding.check)
        row.add_row(
            verdict, name, Text(finding.text, style="dim" if finding.verdict is Verdict.SKIPPED else "")
        )
        console.print(row, width=min(console.width, WIDEST))
    console.print(_summary(findings))
    return findings


def _summary(findings: Sequence[Finding]) -> Text:
    """The last line: how many of each verdict, the worst one's colour."""
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    worst = next(v for v in (Verdict.FAILED, Verdict.WARNING, Verdict.OK) if counts[v])
    return Text(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count), STYLES[worst])
