"""What a check says: a verdict, and one sentence a shopkeeper can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SETTINGS: Final = "settings"
"""The check whose failure is a wrong setting, not a broken machine."""


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"  # it works, but somebody should look
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Opinion:
    """A verdict and its sentence; neither a secret nor a customer's data is in it."""

    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The opinion of the check called `check`."""

    check: str
    verdict: Verdict
    text: str


def ok(text: str) -> Opinion:
    """All is well."""
    return Opinion(Verdict.OK, text)


def warning(text: str) -> Opinion:
    """It works, but somebody should look."""
    return Opinion(Verdict.WARNING, text)


def failed(text: str) -> Opinion:
    """It does not work."""
    return Opinion(Verdict.FAILED, text)


def skipped(text: str) -> Opinion:
    """It was not looked at."""
    return Opinion(Verdict.SKIPPED, text)


def exit_code(findings: Iterable[Finding]) -> int:
    """2 for a wrong setting, 1 where something else failed, else 0."""
    broken = {finding.check for finding in findings if finding.verdict is Verdict.FAILED}
    return 2 if SETTINGS in broken else int(bool(broken))
