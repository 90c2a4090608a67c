"""Nothing here, and no other test, runs the probe: it is for a real sandbox and for people."""

from __future__ import annotations

import pytest

from services.backoffice.operations.probe.run import QUESTIONS, refusal
from services.backoffice.settings import MachineSettings
from shared.settings import load
from tests.support.command import stocksync

TEST, LIVE = "rk_test_made_up", "rk_live_made_up"
ELSEWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("key", "base", "simulator", "word"),
    [
        (LIVE, None, False, "live"),
        (LIVE, None, True, "live"),
        (LIVE, ELSEWHERE, True, "live"),
        (None, None, False, "--simulator"),
        (TEST, ELSEWHERE, False, "--simulator"),
        (TEST, None, True, "--simulator"),
    ],
)
def test_the_probe_refuses_what_is_no_sandbox(
    key: str | None, base: str | None, *, simulator: bool, word: str
) -> None:
    """A live account is never probed, the simulator only when that is asked for, and the reason is said."""
    settings = load(MachineSettings, stripe_api_key=key, stripe_api_base=base)
    assert word in (refusal(settings, simulator=simulator) or "")


@pytest.mark.parametrize(
    ("key", "base", "simulator"), [(TEST, None, False), (None, None, True), (TEST, ELSEWHERE, True)]
)
def test_the_probe_is_let_into_a_sandbox(key: str | None, base: str | None, *, simulator: bool) -> None:
    """A test key at Stripe, or a simulator that was asked for, is not refused."""
    settings = load(MachineSettings, stripe_api_key=key, stripe_api_base=base)
    assert refusal(settings, simulator=simulator) is None


@pytest.mark.parametrize(
    "settings", [{"STRIPE_API_KEY": LIVE}, {"STRIPE_API_KEY": None}], ids=["live", "simulator"]
)
def test_a_refused_probe_is_one_line_and_sends_nothing(settings: dict[str, str | None]) -> None:
    """The command ends with 2 before anything is sent; the key is not repeated."""
    ended = stocksync("probe", **settings)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
    assert LIVE not in ended.stderr


def test_every_question_says_what_is_expected_and_what_follows() -> None:
    """Names are there once each; expectations and consequences are not empty."""
    names = [question.name for question in QUESTIONS]
    assert len(names) == len(set(names)) > 10
    assert [q.name for q in QUESTIONS if not (q.name and q.expected and q.so)] == []
