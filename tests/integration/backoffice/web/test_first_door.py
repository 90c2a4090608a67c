from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.backoffice.operations import passwords
from services.backoffice.settings import PagesSettings
from tests.support.command import stocksync
from tests.support.pages import Pages


@pytest.mark.parametrize(
    "password", ["shop", "stocksync", "changeme", "password1234", "P@ssw0rd2024!", "aaaaaaaaaaaa"]
)
def test_fault_122_a_password_that_would_be_guessed_is_refused_at_the_start(password: str) -> None:
    """Fault 122: no page is served with a password that is short, well known or the name, however it is spelt."""
    with pytest.raises(passwords.WeakPassword):
        passwords.refuse_weak(password, "shop")


def test_fault_122_good_passwords_are_taken() -> None:
    """Fault 122, negative control: words that have nothing to do with each other, and what a machine makes up."""
    for password in ("gravel piano sunday lantern", "my shop has a green test door", "hY3_kd92-Lq0zPvw71Ns"):
        passwords.refuse_weak(password, "shop")


@pytest.mark.parametrize("password", ["changeme1234", None])
def test_fault_122_the_process_does_not_start_for_nobody_or_with_a_weak_password(
    database_url: str, password: str | None
) -> None:
    """Fault 122: with a weak password, or where nobody could log in, one line says so and the exit code is 2."""
    ended = stocksync(
        "pages", DATABASE_URL=database_url, BACKOFFICE_BIND="127.0.0.1:0", BACKOFFICE_PASSWORD=password
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("stocksync: BACKOFFICE_PASSWORD: ")
    assert password is None or password not in line


def test_fault_122_passwords_are_kept_as_salted_scrypt(pages: Pages) -> None:
    """Fault 122: the same password of two people is two hashes, neither of them quick to make."""
    kept = [str(row[0]) for row in pages.execute("select password from person")]
    assert len(kept) == len(set(kept)) == 2
    assert all(one.startswith("scrypt:32768:8:1$") for one in kept)


@pytest.mark.parametrize(
    ("bind", "origin", "private"),
    [
        ("127.0.0.1:8080", "", True),
        ("[::1]:8080", "", True),
        ("0.0.0.0:8080", "", False),
        ("192.168.1.2:8080", "", False),
        ("0.0.0.0:8080", "http://stock.example.com", False),
        ("127.0.0.1:8080", "http://stock.example.com", False),
        ("127.0.0.1:8080", "http://127.0.0.1.example.com", False),
        ("0.0.0.0:8080", "http://127.0.0.1:9000", True),
        ("0.0.0.0:8080", "https://stock.example.com", True),
        ("off", "", True),
    ],
)
def test_fault_135_the_pages_are_for_this_machine_alone_or_speak_tls(
    bind: str, origin: str, *, private: bool
) -> None:
    """Fault 135: loopback by default; where passwords could cross a network without TLS, the process does not start."""
    assert PagesSettings().backoffice_bind == "127.0.0.1:8080"
    if private:
        assert PagesSettings(backoffice_bind=bind, backoffice_origin=origin).backoffice_bind == bind
    else:
        with pytest.raises(ValidationError, match="TLS"):
            PagesSettings(backoffice_bind=bind, backoffice_origin=origin)


def test_a_port_that_browsers_leave_out_is_left_out() -> None:
    """An origin with the usual port of its scheme is what browsers send: without it."""
    assert (
        PagesSettings(backoffice_origin="https://stock.example.com:443").origin == "https://stock.example.com"
    )
