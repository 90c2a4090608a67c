"""One line of the table: what was measured, the figure, and the target it is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from bench.sync.ledger import Ledger
from bench.sync.requests_log import RequestsLog
from bench.sync.shop import Numbers, Outcome
from shared.vocabulary import MovementKind

PER_ENDPOINT, OVERALL, BURST = 20, 80, 4


@dataclass(frozen=True, slots=True)
class Finding:
    """`met` is None where nothing was promised."""

    what: str
    figure: str
    target: str = ""
    met: bool | None = None


def equal(outcome: Outcome) -> Finding:
    """Whether every size that Stripe shows is what was intended."""
    shown, intended = outcome.shown, outcome.intended
    wrong = [variant for variant in intended if shown.get(variant) != intended[variant]]
    off = sum(abs(shown.get(variant, 0) - intended[variant]) for variant in wrong)
    figure = f"{len(intended)} of {len(intended)}" if not wrong else f"{len(wrong)} wrong by {off} units"
    return Finding("sizes that equal the oracle", figure, "all", not wrong)


def same(what: str, found: Numbers, wanted: Numbers) -> Finding:
    """Whether every size has the units that it ought to have, and no other has any."""
    wrong = [variant for variant in found.keys() | wanted if found.get(variant) != wanted.get(variant)]
    off = sum(abs(found.get(variant, 0) - wanted.get(variant, 0)) for variant in wrong)
    figure = f"{len(wanted)} of {len(wanted)}" if not wrong else f"{len(wrong)} wrong by {off} units"
    return Finding(what, figure, "all", not wrong)


def sales(sold: Numbers, ledger: Ledger) -> Finding:
    """Whether the ledger has all units that were `sold`, by size."""
    off = {variant: -units for variant, units in sold.items()}
    return same("sizes whose sales are in the ledger", ledger.sum(MovementKind.SALE), off)


def limits(log: RequestsLog) -> list[Finding]:
    """What Stripe's limits and ours say about the calls."""
    return within_limits(log.refused(), log.busiest(), log.peak())


def within_limits(refused: int, busiest_of: tuple[str, int], overall: int) -> list[Finding]:
    """The same from counts: answers of 429, an endpoint with its most calls in a second, the most in all."""
    endpoint, busiest = busiest_of
    return [
        Finding("answers of 429", str(refused), "0", refused == 0),
        Finding(
            "most calls in a second, one endpoint",
            f"{busiest}, {endpoint.replace('/v1/', '')}",
            f"≤ {PER_ENDPOINT} + {BURST}",
            busiest <= PER_ENDPOINT + BURST,
        ),
        Finding(
            "most calls in a second, in all",
            str(overall),
            f"≤ {OVERALL} + {BURST}",
            overall <= OVERALL + BURST,
        ),
    ]


def calls(log: RequestsLog) -> Finding:
    """How many calls there were, by endpoint."""
    counted = sorted(log.by_endpoint().items(), key=lambda pair: -pair[1])
    each = ", ".join(f"{count} {endpoint.replace('/v1/', '')}" for endpoint, count in counted)
    return Finding("calls", each or "none")


def table(title: str, findings: Sequence[Finding]) -> Table:
    """All of them, one a line."""
    made = Table(title=title)
    made.add_column("")
    made.add_column("measured", overflow="fold")
    made.add_column("target")
    for finding in findings:
        made.add_row(finding.what, escape(finding.figure), _target(finding))
    return made


def _target(finding: Finding) -> str:
    if finding.met is None:
        return finding.target
    return f"{finding.target} {'met' if finding.met else 'MISSED'}"
