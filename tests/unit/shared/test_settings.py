from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from services.stock_worker.settings import StockWorkerSettings
from shared.broker.rabbitmq_link import parameters
from shared.settings import StripeSettings, child_environment, load


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting but the test's own."""
    for name in ("STRIPE_API_KEY", "STRIPE_LIVEMODE", "STRIPE_API_BASE", "AMQP_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which the settings are refused; it holds nothing of what is secret."""
    with pytest.raises(SystemExit) as ended:
        load(StockWorkerSettings)
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n")) == (2, 1)
    assert "secret" not in said
    return said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_API_KEY", "pk_live_secret"),
        ("STRIPE_API_BASE", "ftp://secret"),
        ("AMQP_URL", "http://user:secret@host"),
        ("DATABASE_URL", "mysql://user:secret@host"),
        ("LOW_STOCK_THRESHOLD", "secret"),
        ("LOW_STOCK_THRESHOLD", "-1"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one line with the setting's name, and nothing of what a secret held."""
    monkeypatch.setenv(name, value)
    assert name in refused(capsys)


AMQP = [
    "amqp://user:pa/secret@host/vhost",
    "amqp://user:12/secret@host/vhost",
    "amqp://user:pa#secret@host/vhost",
    "amqp://user:12#secret@host/vhost",
    "amqp://user:pa?secret@host/vhost",
    "amqp://user:12?secret=1@host/vhost",
    "amqp://user:pa%secret@host/vhost",
    "amqp://user:secret@host:99999/vhost",
    "amqp://user:secret@host:port/vhost",
    "amqp://user:secret@[::1/vhost",
    "amqp://user:secret@/vhost",
    "amqp://secret@host/vhost",
    "amqp://user:secret@host/a/secret",
    "amqp://user:secret@host/vhost?heartbeat=secret",
    "amqp://user:secret@host/vhost?secret=1",
    "amqp://user:secret@host/vhost?heartbeat=1&heartbeat=secret",
]
POSTGRESQL = [
    "postgresql://user:pa/secret@host/database",
    "postgresql://user:12/secret@host/database",
    "postgresql://user:pa%secret@host/database",
    "postgresql://user:pa@secret@host/database",
    "postgresql://user:secret@host:99999/database",
    "postgresql://user:secret@host:port/database",
    "postgresql://user:secret@[::1/database",
    "postgresql://user:secret@host/database?=secret",
]


@pytest.mark.parametrize(
    ("name", "value"),
    [*(("AMQP_URL", value) for value in AMQP), *(("DATABASE_URL", value) for value in POSTGRESQL)],
)
def test_an_address_that_no_client_could_use_is_one_line_that_says_how_to_write_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 before anything is connected, and nothing of the password, however it cuts the address up."""
    monkeypatch.setenv(name, value)
    said = refused(capsys)
    assert said.startswith(f"stocksync: {name}: ")
    assert "%2F" in said or "known are" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AMQP_URL", "amqp://host"),
        ("AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/%2F"),
        ("AMQP_URL", "amqps://user:a%2Fb%40c@[::1]/vhost?heartbeat=60&ssl_options=%7B'cafile':'/a/b.pem'%7D"),
        ("AMQP_URL", "amqp://user:p@ss@host:5672/"),
        ("DATABASE_URL", "postgres://host"),
        ("DATABASE_URL", "postgresql://user:a%2Fb@host:5432/database?sslmode=require"),
        ("DATABASE_URL", "postgresql://user:a#b?c@[::1]:5432/database"),
        ("DATABASE_URL", "postgresql://user@one:1,two:2/database?target_session_attrs=read-write"),
        ("DATABASE_URL", "postgresql:///database?host=/run/postgresql&user=me@cloud"),
        ("DATABASE_URL", "postgresql://%2Frun%2Fpostgresql/database"),
    ],
)
def test_an_address_that_a_client_understands_is_taken(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever pika or libpq connects with passes."""
    monkeypatch.setenv(name, value)
    kept = getattr(load(StockWorkerSettings), name.lower())
    assert kept.get_secret_value() == value


@pytest.mark.parametrize(("key", "live"), [("sk_live_1", True), ("rk_live_1", True), ("sk_test_1", False)])
def test_the_keys_mode_is_the_mode(key: str, *, live: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secret and restricted keys tell live from test."""
    monkeypatch.setenv("STRIPE_API_KEY", key)
    assert load(StripeSettings).livemode is live


def test_fault_112_a_key_of_the_other_mode_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """STRIPE_LIVEMODE that contradicts the key stops the start."""
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_1")
    monkeypatch.setenv("STRIPE_LIVEMODE", "true")
    with pytest.raises(SystemExit):
        load(StripeSettings)
    assert "STRIPE_LIVEMODE" in capsys.readouterr().err


def test_no_key_means_the_simulator() -> None:
    """Without a key there is no account to talk to, and only test mode."""
    settings = load(StripeSettings)
    assert (settings.uses_simulator, settings.livemode) == (True, False)


def test_the_environment_goes_before_secret_files_and_these_before_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is set in several places is taken from the first of them; an empty secret file sets nothing."""
    files = {"low_stock_threshold": "9", "external_edits": "", "stock_worker_threads": "9"}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    (tmp_path / ".env").write_text("LOW_STOCK_THRESHOLD=3\nSTOCK_WORKER_THREADS=3\nLOG_LEVEL=ERROR\n")
    monkeypatch.setitem(StockWorkerSettings.model_config, "secrets_dir", tmp_path)
    monkeypatch.setenv("STOCK_WORKER_THREADS", "7")
    found = load(StockWorkerSettings)
    chosen = (found.stock_worker_threads, found.low_stock_threshold, found.log_level, found.external_edits)
    assert chosen == (7, 9, "ERROR", "adopt")


def test_a_secret_never_shows_in_what_settings_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither str nor repr of the settings holds the key."""
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_hidden")
    settings = load(StripeSettings)
    assert "hidden" not in f"{settings} {settings!r}"


def test_a_child_gets_what_it_is_told_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are added, None takes away."""
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_1")
    child = child_environment(STRIPE_API_KEY=None, INGEST_BIND="127.0.0.1:0")
    assert "STRIPE_API_KEY" not in child
    assert child["INGEST_BIND"] == "127.0.0.1:0"


@pytest.mark.parametrize("url", ["amqp://user:pa/secret@host/vhost", "amqp://host/?ssl_options={'secret'"])
def test_an_address_that_slipped_through_still_does_not_show(url: str) -> None:
    """What the client says about an address it can't use is not repeated."""
    with pytest.raises(ValueError, match="address can't be used") as refused:
        parameters(url)
    assert "secret" not in "".join(traceback.format_exception(refused.value))
