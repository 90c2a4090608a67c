from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.simulator_secret import webhook_secret
from tests.unit.ingest.support import OTHER_SECRET, SECRET, settings


def refusal(home: Path, capsys: pytest.CaptureFixture[str], **changes: object) -> str:
    """The one line that a refused start writes."""
    with pytest.raises(SystemExit) as stop:
        settings(home, **changes)
    assert stop.value.code == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return line


def test_several_secrets_are_separated_by_commas(tmp_path: Path) -> None:
    """Both secrets count while one is rolled."""
    both = settings(tmp_path, stripe_webhook_secret=f"{SECRET},{OTHER_SECRET}")
    assert both.secrets() == (SECRET.encode(), OTHER_SECRET.encode())


@pytest.mark.parametrize(
    "secret",
    [
        f"{SECRET}\n",
        f" {SECRET}",
        f"{SECRET}, {OTHER_SECRET}",
        f"{SECRET},",
        ",",
        "whsec_",
        "whsec_short",
        SECRET.removeprefix("whsec_"),
        SECRET.upper(),
        "whsec_xxxxxxxxxxxxxxxxxxxxxxxx",
        "whsec_changemechangeme123",
        "whsec_...",
        "sk_test_0123456789abcdef",
    ],
)
def test_fault_13_what_is_no_secret_refuses_to_start(
    secret: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A placeholder, a line break or a foreign prefix is one line that names the setting, not the secret."""
    line = refusal(tmp_path, capsys, stripe_webhook_secret=secret)
    assert "STRIPE_WEBHOOK_SECRET" in line
    assert len(secret) < 8 or secret.strip() not in line


@pytest.mark.parametrize("tolerance", ["0", "-1", "None", "1e9", "3601"])
def test_fault_10_a_tolerance_that_checks_nothing_refuses_to_start(
    tolerance: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check of the signature's time can't be switched off."""
    assert "WEBHOOK_TOLERANCE" in refusal(tmp_path, capsys, webhook_tolerance=tolerance)


def test_fault_112_a_key_without_a_secret_refuses_to_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an API key the simulator's secret is never taken in place of a forgotten one."""
    line = refusal(tmp_path, capsys, stripe_api_key="sk_test_1234", stripe_webhook_secret=None)
    assert "STRIPE_WEBHOOK_SECRET" in line


@pytest.mark.parametrize(("key", "mode"), [("sk_live_1", "false"), ("rk_test_1", "true")])
def test_fault_112_a_mode_against_the_key_refuses_to_start(
    key: str, mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Live and test can't be mixed."""
    assert "STRIPE_LIVEMODE" in refusal(tmp_path, capsys, stripe_api_key=key, stripe_livemode=mode)


def test_the_simulator_has_no_live_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """STRIPE_LIVEMODE without any secret is refused."""
    line = refusal(tmp_path, capsys, stripe_webhook_secret=None, stripe_livemode="true")
    assert "STRIPE_LIVEMODE" in line


@pytest.mark.parametrize("accounts", ["acct_", "acct_1;acct_2", "acct_1, acct_2", "me"])
def test_accounts_that_are_none_refuse_to_start(
    accounts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typing error in the allow-list is noticed at the start."""
    assert "STRIPE_ACCOUNTS" in refusal(tmp_path, capsys, stripe_accounts=accounts)


def test_the_mode_is_the_keys_or_what_is_said(tmp_path: Path) -> None:
    """Ingest runs without an API key, so the mode can be set alone."""
    assert not settings(tmp_path).livemode
    assert settings(tmp_path, stripe_livemode="true").livemode
    assert settings(tmp_path, stripe_api_key="sk_live_1").livemode


def test_an_ipv6_address_is_taken_apart(tmp_path: Path) -> None:
    """Brackets belong to the notation, not to the host."""
    assert settings(tmp_path, ingest_bind="[::1]:8000").host_and_port == ("::1", 8000)


def test_the_simulators_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """Without any Stripe account the secret comes from a file that only its owner can read."""
    made = settings(tmp_path, stripe_webhook_secret=None).secrets()
    assert made == settings(tmp_path, stripe_webhook_secret=None).secrets()
    mode = (tmp_path / "simulator" / "webhook_secret").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert made[0].startswith(b"whsec_")


def test_all_who_start_at_once_agree_on_the_simulators_secret(tmp_path: Path) -> None:
    """Of many first askers one makes the secret, and nothing else is left in the folder."""
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(webhook_secret, [tmp_path] * 64))) == 1
    assert [path.name for path in (tmp_path / "simulator").iterdir()] == ["webhook_secret"]


def test_a_file_that_holds_something_else_is_not_taken_for_a_secret(tmp_path: Path) -> None:
    """An emptied file does not become an empty secret."""
    webhook_secret(tmp_path)
    (tmp_path / "simulator" / "webhook_secret").write_text("\n")
    with pytest.raises(ValueError, match="holds no webhook secret"):
        webhook_secret(tmp_path)
