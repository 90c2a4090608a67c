from __future__ import annotations

import pytest

from services.backoffice.operations.doctor import finding, judge
from services.backoffice.operations.doctor.checks import Check, checks
from services.backoffice.operations.doctor.context import Context
from services.backoffice.operations.doctor.examine import run
from services.backoffice.operations.doctor.finding import Finding, Opinion, Verdict, exit_code
from services.backoffice.settings import MachineSettings
from shared.broker.port import BrokerDown
from shared.settings import load

OK, WARNING, FAILED, SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.SKIPPED


@pytest.mark.parametrize(
    ("broken", "code"), [([], 0), (["clock"], 1), (["settings"], 2), (["clock", "settings"], 2)]
)
def test_the_exit_code_tells_a_wrong_setting_from_a_broken_machine(broken: list[str], code: int) -> None:
    """Warnings and skips end with 0."""
    findings = [Finding("alerts", Verdict.WARNING, ""), Finding("queue", Verdict.SKIPPED, "")]
    assert exit_code([*findings, *(Finding(check, Verdict.FAILED, "") for check in broken)]) == code


def test_what_a_failed_check_leaves_without_ground_is_skipped() -> None:
    """A check whose ground failed, or was skipped itself, says which one; the others are asked all the same."""
    table = (
        Check("ground", lambda _: judge.schema(["0001"])),
        Check("house", lambda _: finding.ok(""), ("ground",)),
        Check("roof", lambda _: finding.ok(""), ("house",)),
        Check("garden", lambda _: finding.warning("")),
        Check("pond", lambda _: finding.ok(""), ("garden",)),
    )
    found = list(run(table, Context(load(MachineSettings))))
    assert [f.verdict for f in found] == [FAILED, SKIPPED, SKIPPED, WARNING, OK]
    assert "`ground`" in found[1].text


def test_an_outage_or_a_flaw_within_a_check_is_its_failure() -> None:
    """Neither is a traceback, neither keeps the next check from being asked, and no data is quoted."""

    def away(_: Context) -> Opinion:
        raise BrokerDown("gone")

    def broken(_: Context) -> Opinion:
        raise KeyError("a customer's name")

    table = (Check("queue", away), Check("broken", broken), Check("well", lambda _: finding.ok("")))
    found = list(run(table, Context(load(MachineSettings))))
    assert [f.verdict for f in found] == [FAILED, FAILED, OK]
    assert found[0].text == "gone"
    assert "customer" not in found[1].text


def test_every_check_stands_on_earlier_ones() -> None:
    """No check needs one that comes after it, or one that is not there."""
    names: list[str] = []
    for check in checks(load(MachineSettings)):
        assert set(check.needs) <= set(names)
        names.append(check.name)
