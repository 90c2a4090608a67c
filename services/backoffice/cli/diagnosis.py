"""`stocksync doctor` and `stocksync probe`: what was found, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.backoffice.cli.options import AsJson
from services.backoffice.operations.doctor.context import plain_api
from services.backoffice.operations.doctor.examine import examine
from services.backoffice.operations.doctor.finding import Finding, Verdict, exit_code
from services.backoffice.operations.probe.question import Match
from services.backoffice.operations.probe.run import Reply, refusal
from services.backoffice.operations.probe.run import probe as ask_all
from services.backoffice.settings import MachineSettings
from shared import logs
from shared.outcomes import Outage
from shared.settings import WRONG_SETTING, load

WIDEST: Final = 120  # columns; longer lines are hard to read
FAILED: Final = 1
MATCH_STYLES: Final = {Match.YES: "green", Match.NO: "bold red", Match.NOTED: "cyan"}
STYLES: Final = {
    Verdict.OK: "green",
    Verdict.WARNING: "bold yellow",
    Verdict.FAILED: "bold red",
    Verdict.SKIPPED: "dim",
}

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    ingest: Annotated[
        str, typer.Option(help="Where ingest is, http://HOST:PORT, if not at INGEST_BIND.")
    ] = "",
    as_json: AsJson = False,
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


@app.command()
def probe(
    simulator: Annotated[bool, typer.Option("--simulator", help="Try it on the simulator instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask a Stripe sandbox what the stock protocol rests on; 0 all as expected, 1 something differs, 2 refused."""
    settings = load(MachineSettings)
    logs.configure("probe", "ERROR")
    if (reason := refusal(settings, simulator=simulator)) is not None:
        typer.echo(f"stocksync: {reason}", err=True)
        raise typer.Exit(WRONG_SETTING)
    heard: list[Reply] = []
    try:
        with closing(ask_all(plain_api(settings))) as replies:
            for reply in replies:
                heard.append(reply)
                if not as_json:
                    _print_reply(reply)
    except Outage as error:
        typer.echo(f"stocksync: {error}", err=True)
        raise typer.Exit(FAILED) from None
    differs = any(reply.seen.match is Match.NO for reply in heard)
    if as_json:
        typer.echo(json.dumps([_facts(reply) for reply in heard], indent=2))
    else:
        _print_counts([reply.seen.match for reply in heard], differs=differs)
    raise typer.Exit(FAILED if differs else 0)


def _facts(reply: Reply) -> dict[str, str]:
    question, seen = reply.question, reply.seen
    return {
        "question": question.name,
        "expected": question.expected,
        "seen": seen.text,
        "match": seen.match.value,
    }


def _print_counts(matches: Sequence[Match], *, differs: bool) -> None:
    counts = {match: matches.count(match) for match in Match}
    text = ", ".join(f"{count} {match}" for match, count in counts.items() if count)
    Console(highlight=False).print(Text(f"\n{text}", MATCH_STYLES[Match.NO if differs else Match.YES]))


def _print_reply(reply: Reply) -> None:
    question, seen = reply.question, reply.seen
    lines = Text.assemble(
        (question.name, "bold"),
        f"\nexpected: {question.expected}\nseen: {seen.text}\n",
        (f"so: {question.so}", "dim"),
    )
    Console().print()
    _print_row(Text(seen.match, style=MATCH_STYLES[seen.match]), lines, widths=(11, None))


def _print_row(*cells: Text, widths: Sequence[int | None]) -> None:
    """One row of a table that is printed row by row: fixed widths, but for the last."""
    console = Console(highlight=False)
    row = Table.grid(padding=(0, 2), expand=False)
    for width in widths:
        row.add_column(width=width)
    row.add_row(*cells)
    console.print(row, width=min(console.width, WIDEST))


def _shown(found: Iterable[Finding]) -> list[Finding]:
    """Print each finding as it comes, one row of a table."""
    findings: list[Finding] = []
    for finding in found:
        findings.append(finding)
        _print_row(
            Text(finding.verdict, style=STYLES[finding.verdict]),
            Text(finding.check),
            Text(finding.text, style="dim" if finding.verdict is Verdict.SKIPPED else ""),
            widths=(7, 16, None),
        )
    Console(highlight=False).print(_summary(findings))
    return findings


def _summary(findings: Sequence[Finding]) -> Text:
    """The last line: how many of each verdict, the worst one's colour."""
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    worst = next(v for v in (Verdict.FAILED, Verdict.WARNING, Verdict.OK) if counts[v])
    return Text(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count), STYLES[worst])
