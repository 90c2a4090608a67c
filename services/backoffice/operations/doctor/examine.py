"""One check after the other; what a failed one leaves without ground is skipped, saying why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.backoffice.operations.doctor.checks import Check, checks
from services.backoffice.operations.doctor.context import Context
from services.backoffice.operations.doctor.finding import Finding, Opinion, Verdict, failed, skipped
from services.backoffice.settings import MachineSettings
from shared.database.errors import WrongDatabase
from shared.outcomes import Outage


def examine(settings: MachineSettings, ingest: str = "") -> Iterator[Finding]:
    """A finding for each check, as soon as it is there; `ingest` overrides where ingest is looked for."""
    context = Context(settings, ingest)
    try:
        yield from run(checks(settings), context)
    finally:
        context.close()


def run(table: Sequence[Check], context: Context) -> Iterator[Finding]:
    """The findings of `table`'s checks, in its order."""
    groundless: set[str] = set()
    for check in table:
        missing = [name for name in check.needs if name in groundless]
        opinion = skipped(f"not looked at before `{missing[0]}` is well") if missing else _ask(check, context)
        if missing or opinion.verdict is Verdict.FAILED:
            groundless.add(check.name)
        yield Finding(check.name, opinion.verdict, opinion.text)


def _ask(check: Check, context: Context) -> Opinion:
    try:
        return check.ask(context)
    except (Outage, WrongDatabase) as error:
        return failed(str(error))
    except Exception as error:  # noqa: BLE001 - a broken check must not hide what the others find
        return failed(f"this check itself broke ({type(error).__name__}): please report it")
