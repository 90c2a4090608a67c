"""What somebody tries who means harm, case by case."""

from __future__ import annotations

import socket
from contextlib import closing
from itertools import product
from urllib.parse import quote

import pytest

from services.backoffice.web.app import create
from services.backoffice.web.office import Office
from shared.store.products import Products
from shared.vocabulary import ProductId, Size, account_key
from tests.integration.backoffice.web.conftest import NAME, PRODUCT
from tests.support.pages import HEADERS, Pages

INJECTED = (
    "'",
    "' or '1'='1",
    "'; drop table product; --",
    "1; select pg_sleep(9)",
    "%' union select password from person --",
    "\\'",
    "%s%(x)s{}",
    "a\x00b",
    "\U0001f9f8 \u202e",
    5000 * "a",
)
OUTSIDE = (
    "..%2f..%2fsettings.py",
    "%2e%2e/%2e%2e/settings.py",
    "..%5c..%5csettings.py",
    "....//settings.py",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "style.css%00.js",
    "../serve.py",
    ".",
)


@pytest.mark.parametrize("text", INJECTED)
def test_fault_125_what_is_typed_is_never_read_as_sql(pages: Pages, text: str) -> None:
    """Fault 125: searches, filters, page numbers, ids and names that hold SQL find nothing and break nothing."""
    browser = pages.browser("viola")
    for name in ("q", "show", "page", "size", "sort", "limit", "kind", "since", "product", "state", "id"):
        for path in ("/", "/products"):
            answer = browser.ask("GET", path, params={name: text})
            assert answer.status_code == (400 if "\0" in text else 200), (name, answer.text)
    assert NAME not in browser.ask("GET", "/products", params={"q": text}).text
    answer = browser.get("/products/" + quote(text, safe=""))
    assert answer.status_code in {400, 404, 422}
    assert pages.browser().log_in(text).status_code in {401, 413}
    assert pages.execute("select count(*) from product") == [(1,)]


@pytest.mark.parametrize(
    "form", [{"size": one, "units": "1", "reason": one, "how": "restock"} for one in INJECTED]
)
def test_fault_125_what_is_booked_is_never_read_as_sql(pages: Pages, form: dict[str, str]) -> None:
    """Fault 125: a size that holds SQL is refused, and a reason is kept as it is, or refused where it is none."""
    browser = pages.browser("olga")
    answer = browser.post(f"/products/{PRODUCT}/change", {**form, "csrf": browser.csrf()})
    assert answer.status_code in {400, 422}, answer.text
    right = {**form, "size": "M", "csrf": browser.csrf()}
    kept = len(form["reason"]) <= 200 and "\0" not in form["reason"]
    assert (browser.post(f"/products/{PRODUCT}/change", right).status_code == 303) is kept
    found = pages.execute(
        "select count(*) from movement where reason = %s", form["reason"].replace("\0", "").strip()
    )
    assert found == [(int(kept),)]
    assert pages.execute("select count(*) from product") == [(1,)]


@pytest.mark.parametrize(("folder", "name"), list(product(("/static", "/scripts"), OUTSIDE)))
def test_fault_126_no_other_file_is_served(pages: Pages, folder: str, name: str) -> None:
    """Fault 126: no spelling of a path leaves the fixed names."""
    browser = pages.browser("viola")
    with closing(socket.create_connection(("127.0.0.1", int(pages.url.rpartition(":")[2])), 10)) as raw:
        host = pages.origin.partition("//")[2]
        cookie = f"stocksync={browser.cookie}"
        raw.sendall(
            f"GET {folder}/{name} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        with raw.makefile("rb") as answer:
            said = answer.read()
    assert said.split()[1] in {b"404", b"400"}, said[:200]
    assert b"root:" not in said
    assert b"import" not in said


def test_fault_127_no_page_fetches_what_somebody_names(pages: Pages) -> None:
    """Fault 127: an address given to any page, or to the login, is asked by nobody."""
    browser = pages.browser("olga")
    with closing(socket.create_server(("127.0.0.1", 0))) as trap:
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/"
        for path in ("/", "/products", "/login", "/overview/figures"):
            for name in ("q", "url", "back", "next", "image", "webhook"):
                browser.ask("GET", path, params={name: url}, headers={"Referer": url, "HX-Current-URL": url})
        browser.post("/login", {"name": url, "password": url, "back": url})
        trap.settimeout(0)
        with pytest.raises(BlockingIOError):
            trap.accept()


def test_fault_128_nothing_shows_how_it_is_made(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 128: no debugger, whatever the environment says; what breaks is one sentence with all headers."""
    monkeypatch.setenv("FLASK_DEBUG", "1")
    office = pages.app.extensions["stocksync"]
    assert isinstance(office, Office)
    assert not create(office).debug
    browser = pages.browser("viola")
    for path in ("/console", "/?__debugger__=yes&cmd=resource&f=debugger.js", "/.git/config", "/.env"):
        assert "debugger" not in browser.get(path).text.lower()
    pages.execute("alter table web_session rename to elsewhere")
    try:
        answer = browser.get("/products")
    finally:
        pages.execute("alter table elsewhere rename to web_session")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert not any(word in answer.text for word in ("Traceback", "web_session", "psycopg", "UndefinedTable"))


def test_fault_130_every_answer_is_hardened(pages: Pages, behind_tls: Pages) -> None:
    """Fault 130: pages, files, redirects and refusals forbid frames, foreign scripts and guessing what they are."""
    inside, stranger = pages.browser("olga"), pages.browser()
    answers = [
        inside.get("/"),
        inside.get("/nowhere"),
        stranger.get("/"),
        stranger.get("/static/style.css"),
        stranger.post("/login", {}, Origin=""),
        stranger.ask("GET", "/login", headers={"Host": "evil.example"}),
        stranger.ask("DELETE", "/login", headers={"Origin": pages.origin}),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 303, 200, 400, 400, 400]
    for answer in answers:
        assert all(name in answer.headers for name in HEADERS)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Strict-Transport-Security" not in answer.headers
    assert [answer.headers["Cache-Control"] for answer in answers[:3]] == 3 * ["no-store"]
    assert "max-age=" in behind_tls.browser().get("/login").headers["Strict-Transport-Security"]


def test_fault_133_another_account_is_not_shown(pages: Pages) -> None:
    """Fault 133: products of live mode are neither listed, nor shown, nor changed where test mode is served."""
    other, name = ProductId("prod_ofanother"), "Nobody's business"
    live = account_key(None, livemode=True)
    with pages.database.transaction() as connection:
        Products(connection, live).create(other, name)
        Products(connection, live).save_sizes(other, {Size("M"): "managed"}, opened=[Size("M")])
    browser = pages.browser("olga")
    assert name not in browser.get("/products").text
    shown = browser.get(f"/products/{other}")
    assert (shown.status_code, name in shown.text) == (422, False)
    form = {"csrf": browser.csrf(), "size": "M", "how": "restock", "units": "5"}
    assert browser.post(f"/products/{other}/change", form).status_code == 422
    pages.execute("delete from variant where product_id = %s", other)
    pages.execute("delete from product where id = %s", other)


def test_what_is_too_long_is_not_read(pages: Pages) -> None:
    """A stranger's form ends at 16 KiB, headers and every other form at bounds of their own."""
    stranger = pages.browser()
    assert stranger.post("/login", {"name": 20_000 * "a", "password": "x"}).status_code == 413
    inside = pages.browser("olga")
    form = {"csrf": inside.csrf(), "reason": 3_000_000 * "a", "size": "M", "how": "restock", "units": "1"}
    assert inside.post(f"/products/{PRODUCT}/change", form).status_code == 413
    assert inside.post(f"/products/{PRODUCT}/change", {**form, "reason": 201 * "a"}).status_code == 422
