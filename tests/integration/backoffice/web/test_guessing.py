"""Guessing passwords: slowed down, told to people, and of no use to find out who is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest

from services.backoffice.operations import passwords, people
from services.notifier.problems import PAST_AFTER
from shared.store import problems
from shared.vocabulary import AlertKind
from tests.integration.backoffice.web.conftest import NAME
from tests.support.pages import Browser, Pages


class Hashes:
    """Counts how many passwords were looked at, and how many at the same time."""

    def __init__(self) -> None:
        self.made = self.now = self.most = 0
        self._lock = Lock()
        self._real = passwords.check_password_hash

    def __call__(self, kept: str, password: str) -> bool:
        """What the real one says."""
        with self._lock:
            self.made, self.now = self.made + 1, self.now + 1
            self.most = max(self.most, self.now)
        try:
            return self._real(kept, password)
        finally:
            with self._lock:
                self.now -= 1


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Hashes:
    """The count of this test."""
    counted = Hashes()
    monkeypatch.setattr(passwords, "check_password_hash", counted)
    return counted


def minutes_pass(pages: Pages, minutes: float) -> None:
    """All that was counted is so much older now."""
    pages.execute(
        "update login_failure set last_at = last_at - %(t)s, blocked_until = blocked_until - %(t)s".replace(
            "%(t)s", f"interval '{minutes} minutes'"
        )
    )


def wrong(pages: Pages, name: str, times: int) -> list[int]:
    """The status of so many wrong passwords."""
    browser = pages.browser()
    return [browser.log_in(name, f"wrong {n}").status_code for n in range(times)]


def test_fault_134_guessing_is_slowed_down_and_told_once(pages: Pages, hashes: Hashes) -> None:
    """Fault 134: of a hundred guesses at one name six are looked at, and people get one alert without that name."""
    answers = wrong(pages, "olga", 100)
    assert answers == 6 * [401] + 94 * [429]
    assert hashes.made == 6
    alerts = pages.execute("select kind, subject, facts::text from alert")
    assert [kind for kind, _, _ in alerts] == [AlertKind.LOGINS_BLOCKED]
    assert "olga" not in str(alerts)
    assert pages.browser().log_in("olga").status_code == 429  # the right one is not looked at either


def test_fault_134_the_alert_ends_when_nobody_guesses_any_more(pages: Pages) -> None:
    """Fault 134: an hour after the last block the alert is over, not while guessing goes on."""
    wrong(pages, "olga", 7)
    for minutes, still in ((50, 1), (50, 1), (61, 0)):
        pages.execute(
            "update alert set told_at = now(), seen_at = seen_at - make_interval(mins => %s)", minutes
        )
        pages.database.run(lambda connection: problems.end_past(connection, PAST_AFTER))
        assert pages.execute("select count(*) from alert where resolved_at is null") == [(still,)]
        if minutes < 60:
            minutes_pass(pages, 20)
            assert wrong(pages, "olga", 1) == [401]


def test_fault_134_each_wrong_password_blocks_twice_as_long(pages: Pages) -> None:
    """Fault 134: blocks grow from half a minute to a quarter of an hour; the right password afterwards ends it all."""
    wrong(pages, "viola", 5)
    waits: list[int] = []
    for _ in range(8):
        assert wrong(pages, "viola", 1) == [401]
        waits.append(round(int(pages.browser().log_in("viola").headers["Retry-After"]), -1))
        minutes_pass(pages, 16)
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    assert pages.browser().log_in("viola").status_code == 303
    assert wrong(pages, "viola", 2) == 2 * [401]
    assert pages.browser().log_in("viola").status_code == 303


def test_fault_134_one_address_guesses_at_few_names(pages: Pages) -> None:
    """Fault 134: whoever tries many names from one address is blocked by it; who is in stays in."""
    inside = pages.browser("olga")
    pages.execute("delete from login_failure")
    pages.execute("insert into login_failure (subject, failures) values ('address:127.0.0.1', 18)")
    answers = [status for n in range(5) for status in wrong(pages, f"name{n}", 1)]
    assert answers == 3 * [401] + 2 * [429]
    assert NAME in inside.get("/products").text


def test_fault_134_guesses_at_the_same_moment_are_counted_too(pages: Pages, hashes: Hashes) -> None:
    """Fault 134: thirty guesses at once are not looked at more often than thirty one after the other."""
    with ThreadPoolExecutor(30) as crowd:
        tries = [crowd.submit(wrong, pages, "olga", 1) for _ in range(30)]
    assert {one.result()[0] for one in tries} <= {401, 429, 503}
    assert hashes.made <= people.FREE + 1


def test_a_flood_of_logins_leaves_memory_and_pages_alone(pages: Pages, hashes: Hashes) -> None:
    """However many log in at once, two passwords are looked at together, and those who are in see their pages."""
    inside = pages.browser("olga")
    with ThreadPoolExecutor(17) as crowd:
        tries = [crowd.submit(wrong, pages, f"crowd{n}", 1) for n in range(16)]
        assert NAME in inside.get("/products").text
        answers = {one.result()[0] for one in tries}
    assert answers <= {401, 429, 503}
    assert hashes.most <= passwords.AT_ONCE


def test_who_was_not_looked_at_has_not_failed(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """A right password that finds too many before it is no failure, and is asked for again."""

    class Full:
        def acquire(self, *, blocking: bool) -> bool:
            return blocking

    with monkeypatch.context() as patched:
        patched.setattr(passwords, "_LINE", Full())
        assert wrong(pages, "olga", 10) == 10 * [503]
    assert pages.browser().log_in("olga").status_code == 303


@pytest.mark.parametrize("name", ["olga", "nobody", "No Name", "a\x00b", "", 500 * "x"])
def test_fault_136_a_name_that_is_not_there_costs_the_same(pages: Pages, hashes: Hashes, name: str) -> None:
    """Fault 136: whether somebody has that name or nobody can, one password is looked at and the answer is one."""
    answer = pages.browser().log_in(name, "wrong")
    assert (answer.status_code, hashes.made) == (401, 1)
    assert "Name and password don&#39;t fit." in answer.text or "Name and password don't fit." in answer.text


def test_a_proxy_says_who_asks_and_nobody_else_does(pages: Pages, behind_tls: Pages) -> None:
    """Behind TLS the last address of the proxy counts, whatever came before; without TLS the header is nothing."""

    def tell(browser: Browser, told: str) -> None:
        typed = {"name": "nobody", "password": "wrong"}
        browser.post("/login", typed, X_Forwarded_For=told)

    tell(pages.browser(), "203.0.113.1")
    tell(behind_tls.browser(), "198.51.100.9, 203.0.113.2")
    tell(behind_tls.browser(), "2001:db8:1:2:3:4:5:6")
    tell(behind_tls.browser(), "<b>nonsense")
    subjects = {str(row[0]) for row in pages.execute("select subject from login_failure")}
    assert {one for one in subjects if one.startswith("address:")} == {
        "address:127.0.0.1",
        "address:203.0.113.2",
        "address:2001:db8:1:2::",
        "address:unknown",
    }
