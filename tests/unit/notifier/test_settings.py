from __future__ import annotations

import sys
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.notifier.mail import Letterhead
from services.notifier.quiet import QuietHours
from services.notifier.settings import NotifierSettings, parse_addresses
from services.notifier.smtp_url import SmtpServer, Tls, parse
from shared.settings import WRONG_SETTING, load
from shared.vocabulary import AlertKind

SECRET = "hunter2"
WHOLE = {
    "SMTP_URL": f"smtp://u:{SECRET}@mx.example.com",
    "MAIL_FROM": "a@example.com",
    "MAIL_TO": "b@example.com",
}


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NotifierSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail", SmtpServer("mail", 587, Tls.OFFERED)),
        ("smtp://mail:1025/", SmtpServer("mail", 1025, Tls.OFFERED)),
        ("smtp://u%40x:p%3A%2F@mail?starttls=required", SmtpServer("mail", 587, Tls.REQUIRED, "u@x", "p:/")),
        ("smtp://mail?starttls=off", SmtpServer("mail", 587, Tls.OFF)),
        ("smtps://u:p@mail", SmtpServer("mail", 465, Tls.IMPLICIT, "u", "p")),
        ("smtp://[::1]:25", SmtpServer("::1", 25, Tls.OFFERED)),
    ],
)
def test_smtp_urls(url: str, server: SmtpServer) -> None:
    """A mail server's URL names host, port, encryption and login, percent-decoded."""
    assert parse(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "http://mail",
        "smtp://",
        "smtp://mail:99999",
        "smtp://mail/inbox",
        "smtp://mail?starttls=maybe",
        "smtp://mail?tls=off",
        "smtp://mail?starttls=off&starttls=required",
        "smtps://mail?starttls=required",
        f"smtp://:{SECRET}@mail",
        "smtp://user@mail",
        f"smtp://u:{SECRET}%C3%A9@mail",
        f"smtp://u:{SECRET}%0D%0AQUIT@mail",
        f"smtp://u:{SECRET}@mail#x",
        f"smtp://u:{SECRET}@[::1",
    ],
)
def test_fault_104_a_wrong_url_is_refused_without_repeating_it(url: str) -> None:
    """A URL that is no mail server's is refused with a text that does not show the password."""
    with pytest.raises(ValueError, match=r"must|only|come together|takes no") as refused:
        parse(url)
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_fault_104_a_server_shown_hides_its_password() -> None:
    """Neither the repr of a server nor that of the settings shows the password."""
    assert SECRET not in repr(parse(WHOLE["SMTP_URL"]))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SMTP_URL": f"ftp://u:{SECRET}@x"}, "SMTP_URL"),
        ({"MAIL_FROM": ""}, "MAIL_FROM"),
        ({"MAIL_TO": ""}, "MAIL_TO"),
        ({"MAIL_FROM": "a@example.com, b@example.com"}, "MAIL_FROM"),
        ({"MAIL_TO": "not an address"}, "MAIL_TO"),
        ({"MAIL_TO": "ä@example.com"}, "MAIL_TO"),
        ({"MAIL_TO": "a@example.com\r\nBcc: c@example.com"}, "MAIL_TO"),
        ({"SMTP_CA_FILE": "missing.pem"}, "SMTP_CA_FILE"),
        ({"SMTP_CA_FILE": "empty.pem"}, "SMTP_CA_FILE"),
        ({"MAIL_PAUSE_SECONDS": "-1"}, "MAIL_PAUSE_SECONDS"),
        ({"MAIL_TO_SALES": "nobody"}, "MAIL_TO_SALES"),
        ({"QUIET_HOURS": "22-7"}, "QUIET_HOURS"),
        ({"QUIET_HOURS": "22:00-22:00"}, "QUIET_HOURS"),
        ({"QUIET_HOURS": "24:00-07:00"}, "QUIET_HOURS"),
        ({"TIME_ZONE": "Berlin"}, "TIME_ZONE"),
        ({"RECOVERY_MAILS": "maybe"}, "RECOVERY_MAILS"),
        ({"APPRISE_URLS": SECRET}, "APPRISE_URLS"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    changes: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong setting ends the process with code 2 and one line that names it and shows no secret."""
    Path("empty.pem").touch()
    for name, value in {**WHOLE, **changes}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load(NotifierSettings)
    told = capsys.readouterr().err
    assert ended.value.code == WRONG_SETTING
    assert told.count("\n") == 1
    assert named in told
    assert SECRET not in told


def test_nothing_set_means_files() -> None:
    """Without any setting there is no server, and the letterhead is made up."""
    settings = NotifierSettings()
    assert settings.smtp_server is None
    (everybody,) = settings.mailing_lists
    assert everybody.letterhead == Letterhead("stocksync <stocksync@localhost>", ("shop@localhost",))
    assert set(everybody.kinds) == set(AlertKind)
    assert (settings.policy.quiet, settings.policy.recoveries) == (None, True)
    assert settings.pusher is None


def test_several_recipients() -> None:
    """MAIL_TO takes several addresses, with or without a name."""
    assert parse_addresses('a@example.com, "Shop, Ltd" <b@example.com>') == (
        "a@example.com",
        '"Shop, Ltd" <b@example.com>',
    )


def test_audiences_that_are_the_same_people_share_a_list() -> None:
    """Who is named for one audience gets its kinds only; the others stay with MAIL_TO, in one digest."""
    settings = NotifierSettings(
        mail_to="shop@example.com", mail_to_sales="sales@example.com, boss@example.com"
    )
    everybody, sales = settings.mailing_lists
    assert [one.name for one in (everybody, sales)] == ["stock+operations", "sales"]
    assert sales.letterhead.recipients == ("sales@example.com", "boss@example.com")
    assert AlertKind.OVERSOLD in sales.kinds
    assert set(sales.kinds).isdisjoint(everybody.kinds)
    assert {*sales.kinds, *everybody.kinds} == set(AlertKind)


def test_quiet_hours_are_in_the_shops_time_zone() -> None:
    """QUIET_HOURS, TIME_ZONE and RECOVERY_MAILS end up in the policy."""
    policy = NotifierSettings(
        quiet_hours="22:00-07:00", time_zone="Europe/Berlin", recovery_mails="off"
    ).policy
    assert policy.quiet == QuietHours(time(22), time(7), ZoneInfo("Europe/Berlin"))
    assert policy.zone == ZoneInfo("Europe/Berlin")
    assert not policy.recoveries


def test_without_the_package_apprise_urls_are_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where apprise is not installed the process ends with code 2 and a line that says how to get it."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.setenv("APPRISE_URLS", f"json://user:{SECRET}@127.0.0.1:1/")
    with pytest.raises(SystemExit) as ended:
        load(NotifierSettings)
    told = capsys.readouterr().err
    assert ended.value.code == WRONG_SETTING
    assert told.startswith("stocksync: APPRISE_URLS: ")
    assert ".venv/bin/pip install 'apprise>=2'" in told
    assert SECRET not in told
