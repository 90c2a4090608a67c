from __future__ import annotations

import pytest

from services.reconciler.settings import ReconcilerSettings
from shared.settings import load


def times(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, str]:
    """When each job runs under these settings."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return {job: schedule.expression for job, schedule in load(ReconcilerSettings).schedules.items()}


def test_a_small_store_only_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word about its size a store looks for missed sales every quarter of an hour."""
    assert times(monkeypatch) == {"recover": "*/15 * * * *"}


def test_larger_stores_check_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Medium adds a weekly snapshot and report, large a daily snapshot and verification."""
    assert times(monkeypatch, STORE_SIZE="medium").keys() == {"recover", "snapshot", "report"}
    assert times(monkeypatch, STORE_SIZE="large").keys() == {"recover", "snapshot", "verify", "report"}


def test_each_job_can_be_set_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job's own times go before those of the size, and off takes it away."""
    found = times(
        monkeypatch, STORE_SIZE="medium", JOB_REPORT="0 7 * * 5", JOB_SNAPSHOT="off", TIME_ZONE="Asia/Tokyo"
    )
    assert found == {"recover": "*/15 * * * *", "report": "0 7 * * 5"}


def test_a_canary_sings_where_a_product_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Sunday, whatever the size of the store, and at other times if wanted."""
    assert times(monkeypatch, CANARY_PRODUCT="prod_1")["canary"] == "45 4 * * 0"
    assert times(monkeypatch, JOB_CANARY="0 5 * * *")["canary"] == "0 5 * * *"


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ("TIME_ZONE=Mars/Olympus", "time zone such as Europe/Berlin"),
        ("JOB_VERIFY=daily", "five fields"),
        ("STORE_SIZE=huge", "'small', 'medium' or 'large'"),
    ],
)
def test_a_wrong_setting_is_named(
    setting: str, hint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong setting is one line that names it, and exit code 2."""
    name, _, value = setting.partition("=")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="2"):
        load(ReconcilerSettings)
    said = capsys.readouterr().err
    assert said.startswith(f"stocksync: {name}: ")
    assert hint in said
