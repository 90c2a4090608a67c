"""Logging in and out: what a cookie is worth, and for how long."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest

from services.backoffice.operations import people
from tests.integration.backoffice.web.conftest import NAME
from tests.support.pages import PASSWORD, Pages, add_people


@pytest.mark.parametrize(
    "cookie", ["", "x", "planted-by-somebody", 43 * "A", "'; drop table person; --", "\\x00"]
)
def test_fault_121_a_cookie_that_was_never_given_is_none(pages: Pages, cookie: str) -> None:
    """Fault 121: no cookie, a made-up or a tampered one shows the login and no data."""
    browser = pages.browser()
    browser.session.headers["Cookie"] = f"stocksync={cookie}"
    assert browser.get("/products").status_code == 303


def test_fault_121_a_tampered_cookie_is_none(pages: Pages) -> None:
    """Fault 121: a true cookie with one other letter, or that of another database, is none."""
    browser = pages.browser("olga")
    true = browser.cookie
    browser.session.cookies.clear()
    browser.session.headers["Cookie"] = f"stocksync={'B' if true[0] == 'A' else 'A'}{true[1:]}"
    assert browser.get("/products").status_code == 303
    browser.session.headers["Cookie"] = f"stocksync={true}"
    assert NAME in browser.get("/products").text


@pytest.mark.parametrize(("column", "seconds"), [("seen_at", people.IDLE), ("created_at", people.LONGEST)])
def test_fault_121_a_visit_ends_by_itself(pages: Pages, column: str, seconds: float) -> None:
    """Fault 121: after half a day without a page, and after a week in any case, a cookie is worth nothing."""
    browser = pages.browser("viola")
    older = f"update web_session set {column} = now() - make_interval(secs => %s)"  # noqa: S608 - ours
    pages.execute(older, seconds - 60)
    assert NAME in browser.get("/products").text
    pages.execute(older, seconds + 60)
    assert browser.get("/products").status_code == 303


def test_an_open_page_does_not_make_a_visit_last(pages: Pages) -> None:
    """Figures that a page asks for by itself neither keep an absent person logged in nor take their notice."""
    browser = pages.browser("viola")
    pages.execute("update web_session set seen_at = now() - interval '11 hours', notice = 'Shirt: 1 → 2.'")
    assert browser.get("/overview/figures", HX_Request="true").status_code == 200
    ((seen,),) = pages.execute("select max(now() - seen_at) from web_session where person = 'viola'")
    assert isinstance(seen, timedelta)
    assert seen > timedelta(hours=10)
    assert "Shirt: 1 → 2." in browser.get("/").text
    assert "Shirt: 1 → 2." not in browser.get("/").text


def test_whoever_is_out_comes_back_to_the_page_they_were_at(pages: Pages) -> None:
    """A part of a page that is asked for too late leads to the login, and from there to the page around it."""
    browser = pages.browser()
    at = f"{pages.origin}/products?q=a"
    answer = browser.get("/products", HX_Request="true", HX_Current_URL=at)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login?back=/products?q%3Da")
    evil = browser.get("/products", HX_Request="true", HX_Current_URL="https://evil.example/products")
    assert evil.headers["HX-Redirect"] == "/login?back=/products"


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        " //evil.example",
        "/\u2028/evil.example",
        "///evil.example",
        "/products?q=1",
    ],
)
def test_logging_in_leads_to_our_own_pages_only(pages: Pages, back: str) -> None:
    """No `back` leads to another site, and none adds a header."""
    answer = pages.browser().post("/login", {"name": "viola", "password": PASSWORD, "back": back})
    assert answer.status_code == 303
    where = urljoin(pages.origin, answer.headers["Location"])
    assert urlsplit(where).netloc == urlsplit(pages.origin).netloc
    assert urlsplit(where).path in {"/", "/products"}


def test_fault_132_a_planted_cookie_is_not_what_one_is_logged_in_with(pages: Pages) -> None:
    """Fault 132: logging in makes a new cookie, and ends the visit that the browser had."""
    browser, thief = pages.browser(), pages.browser()
    thief.hold("stocksync=planted")
    browser.session.headers["Cookie"] = "stocksync=planted"
    first = browser.log_in("viola").headers["Set-Cookie"].partition(";")[0]
    assert first != "stocksync=planted"
    assert thief.get("/products").status_code == 303
    thief.hold(first)
    assert NAME in thief.get("/products").text
    browser.hold(first)
    assert browser.log_in("viola").headers["Set-Cookie"].partition(";")[0] != first
    assert thief.get("/products").status_code == 303


def test_fault_132_logging_out_is_for_whoever_has_the_cookie(pages: Pages) -> None:
    """Fault 132: after logging out a copy of the cookie is worth nothing."""
    browser, thief = pages.browser("olga"), pages.browser()
    thief.session.headers["Cookie"] = f"stocksync={browser.cookie}"
    assert NAME in thief.get("/products").text
    assert browser.post("/logout", {"csrf": browser.csrf()}).status_code == 303
    assert browser.cookie == ""
    assert thief.get("/products").status_code == 303


def test_fault_132_another_password_or_role_ends_every_visit(pages: Pages) -> None:
    """Fault 132: whoever gets another password, or may come no more, is out at once, on every machine."""
    add_people(pages.database, greta="operator")
    first, second = pages.browser("greta"), pages.browser("greta")
    people.save(pages.database, "greta", "viewer", "quite another set of words")
    assert [browser.get("/").status_code for browser in (first, second)] == [303, 303]
    third = pages.browser()
    assert third.log_in("greta").status_code == 401
    assert third.log_in("greta", "quite another set of words").status_code == 303
    people.remove(pages.database, "greta")
    assert third.get("/").status_code == 303


def test_fault_132_the_cookie_is_for_our_pages_alone(pages: Pages, behind_tls: Pages) -> None:
    """Fault 132: no script reads it and no foreign form sends it; with TLS it stays there, under a name of its own."""
    plain = pages.browser().log_in("viola").headers["Set-Cookie"]
    assert plain.startswith("stocksync=")
    assert all(flag in plain for flag in ("HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in plain
    answer = behind_tls.browser().log_in("viola")
    guarded = answer.headers["Set-Cookie"]
    assert guarded.startswith("__Host-stocksync=")
    assert all(flag in guarded for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    browser = behind_tls.browser()
    browser.session.headers["Cookie"] = guarded.partition(";")[0]
    taken = browser.post("/logout", {"csrf": browser.csrf()}).headers["Set-Cookie"]
    assert taken.startswith("__Host-stocksync=;")
    assert "Secure" in taken
