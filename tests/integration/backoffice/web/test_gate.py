"""Every route of the real application, whoever adds one: what is let through, and what is not."""

from __future__ import annotations

import re
from typing import cast

import pytest
import requests
from werkzeug.routing import Rule

from services.backoffice.web import gate
from tests.integration.backoffice.web.conftest import NAME, PRODUCT
from tests.support.pages import Browser, Pages

READING = {"GET", "HEAD", "OPTIONS"}


def _path(pages: Pages, rule: Rule) -> str:
    """An address of the rule, every part of it a value that can be."""
    names = cast("set[str]", rule.arguments)  # pyright: ignore[reportUnknownMemberType] - werkzeug says just `set`
    values = {name: str(PRODUCT) if name == "product" else "1" for name in names}
    return pages.app.url_map.bind("").build(rule.endpoint, values, method=next(iter(rule.methods or ())))


def _changing(pages: Pages) -> list[tuple[str, str, str]]:
    """(method, path, endpoint) of every route that may change something."""
    found = [
        (method, _path(pages, rule), rule.endpoint)
        for rule in pages.app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - READING)
    ]
    assert len(found) >= 3
    return found


def _reading(pages: Pages) -> list[tuple[str, str]]:
    """(path, endpoint) of every page."""
    return [
        (_path(pages, rule), rule.endpoint)
        for rule in pages.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
    ]


def _sent(
    browser: Browser, method: str, path: str, form: dict[str, str], **headers: str
) -> requests.Response:
    """A form by any method, with the origin, unless `headers` say otherwise."""
    sent = {"Origin": browser.origin, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return browser.ask(method, path, data=form, headers={n: v for n, v in sent.items() if v})


def test_fault_121_nothing_changes_without_a_login(pages: Pages) -> None:
    """Fault 121: a form of nobody's is 401 on every route but the login's own."""
    stranger = pages.browser()
    for method, path, endpoint in _changing(pages):
        if endpoint not in gate.PUBLIC:
            answer = _sent(stranger, method, path, {"csrf": "x"})
            assert answer.status_code == 401, path
            assert NAME not in answer.text


def test_fault_121_no_page_is_read_without_a_login(pages: Pages) -> None:
    """Fault 121: every page but the public ones sends strangers to the login and shows nothing of the shop."""
    stranger, guarded = pages.browser(), 0
    for path, endpoint in _reading(pages):
        for answer in (stranger.get(path), stranger.ask("HEAD", path)):
            if endpoint not in gate.PUBLIC:
                guarded += 1
                assert answer.status_code == 303, path
                assert answer.headers["Location"].startswith("/login")
            assert NAME not in answer.text
            assert PRODUCT not in answer.text.replace(path, "")
    assert guarded >= 6
    files = {"files.script", "files.static"}
    assert set(gate.PUBLIC) == {"login.form", "login.enter", *files, "ready.page", "storefront.stock"}


def test_the_negative_control_reads_what_strangers_do_not(pages: Pages) -> None:
    """Whoever is logged in is let through to every page, so that the tests of refusals refuse something."""
    viewer = pages.browser("viola")
    for path, endpoint in _reading(pages):
        answer = viewer.get(path)
        assert answer.status_code not in {303, 401, 403, 500}, (path, endpoint)
    assert NAME in viewer.get("/products").text


@pytest.mark.parametrize(
    "trick", ["HX-Request", "HX-Boosted", "HX-History-Restore-Request", "X-Requested-With"]
)
def test_a_script_is_no_way_around_the_login(pages: Pages, trick: str) -> None:
    """Whatever a request says of itself, without a visit it is told of the login and of nothing else."""
    stranger = pages.browser()
    for path, endpoint in _reading(pages):
        if endpoint not in gate.PUBLIC:
            answer = stranger.ask("GET", path, headers={trick: "true"})
            assert answer.status_code in {303, 401}, path
            where = answer.headers.get("Location") or answer.headers["HX-Redirect"]
            assert where.startswith("/login")
            assert NAME not in answer.text


def test_viewers_change_nothing(pages: Pages) -> None:
    """Every route that changes something is 403 for a viewer, but for logging out."""
    viewer = pages.browser("viola")
    form = {"csrf": viewer.csrf()}
    for method, path, endpoint in _changing(pages):
        if endpoint not in gate.PUBLIC | gate.EVERYBODY:
            assert _sent(viewer, method, path, form).status_code == 403, path
    assert {"login.leave"} == gate.EVERYBODY


@pytest.mark.parametrize("forged", ["missing", "empty", "another visit's", "in the address"])
def test_fault_123_a_form_needs_the_token_of_its_visit(pages: Pages, forged: str) -> None:
    """Fault 123: without the token, or with that of another visit, every change is 400."""
    browser, other = pages.browser("olga"), pages.browser("olga")
    forms = {"missing": {}, "empty": {"csrf": ""}, "another visit's": {"csrf": other.csrf()}}
    own = browser.csrf()
    for method, path, endpoint in _changing(pages):
        if endpoint not in gate.PUBLIC:
            where = f"{path}?csrf={own}" if forged == "in the address" else path
            assert _sent(browser, method, where, forms.get(forged, {})).status_code == 400, path
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    "origin", ["", "null", "https://evil.example", "http://127.0.0.1", "http://localhost"]
)
def test_fault_123_a_form_comes_from_our_own_pages(pages: Pages, origin: str) -> None:
    """Fault 123: with no origin or a foreign one every change is 400, whatever else is right; logging in too."""
    browser = pages.browser("olga")
    form = {"csrf": browser.csrf(), "name": "olga", "password": "x"}
    for method, path, _ in _changing(pages):
        assert _sent(browser, method, path, form, Origin=origin).status_code == 400, path


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/plain; a=multipart/form-data", ""])
def test_fault_123_only_forms_are_read(pages: Pages, kind: str) -> None:
    """Fault 123: JSON, or a form that says it is text, is 400 on every route that changes something."""
    browser = pages.browser("olga")
    body = f"csrf={browser.csrf()}".encode()
    for method, path, _ in _changing(pages):
        headers = {"Origin": pages.origin, **({"Content-Type": kind} if kind else {})}
        answer = browser.ask(method, path, data=body, headers=headers)
        assert answer.status_code == 400, path


def test_a_form_that_is_sent_twice_counts_once(pages: Pages) -> None:
    """The same form again, as by a double click, says so and books nothing; the page's next form is another one."""
    browser = pages.browser("olga")
    page = f"/products/{PRODUCT}"
    orders = [re.findall(r'name="order" value="([0-9a-f]{32})"', browser.get(page).text)[0] for _ in range(2)]
    form = {"csrf": browser.csrf(), "size": "M", "how": "restock", "units": "3", "reason": "sent twice"}
    told: list[str] = []
    for order in (orders[0], orders[0], orders[1]):
        browser.post(f"{page}/change", {**form, "order": order})
        told += re.findall(r'role="status">([^<]*)<', browser.get("/").text)
    assert ["counts once" in one for one in told] == [False, True, False]
    assert pages.execute("select count(*) from movement where reason = 'sent twice'") == [(2,)]


def test_fault_123_reading_changes_nothing(pages: Pages) -> None:
    """Fault 123: no page writes anything by being read, whatever a request calls itself."""
    browser = pages.browser("olga")
    tables = ("movement", "product", "variant", "person", "alert", "job_run", "web_session")

    def rows() -> list[object]:
        return [pages.execute(f"select count(*) from {table}")[0][0] for table in tables]  # noqa: S608 - ours

    before = rows()
    for path, _ in _reading(pages):
        browser.ask("GET", path, headers={"X-HTTP-Method-Override": "POST"}, params={"_method": "POST"})
    for _, path, endpoint in _changing(pages):
        answer = browser.get(path)
        shown = {"stock_import.preview"}  # its form is at the same address
        assert answer.status_code in {404, 405} or endpoint in gate.PUBLIC | shown, path
    assert rows() == before


@pytest.mark.parametrize("address", ["http://[x", "//[", "javascript:alert(1)", "\\\\evil"])
def test_whatever_a_script_says_that_it_shows_leads_to_the_login(pages: Pages, address: str) -> None:
    """An address that is none is no failure of ours, and none leads to another site."""
    answer = pages.browser().get("/", HX_Request="true", HX_Current_URL=address)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/login")


@pytest.mark.parametrize(
    ("how", "units"),
    [("restock", "-5"), ("restock", "--5"), ("adjust", "+-5"), ("count", "-5"), ("count", "+5")],
)
def test_a_sign_that_means_something_else_is_asked_about(pages: Pages, how: str, units: str) -> None:
    """Nobody adds five by typing minus five under goods that came in."""
    olga = pages.browser("olga")
    before = pages.execute("select count(*) from movement")
    form = {"csrf": olga.csrf(), "how": how, "size": "M", "units": units, "reason": "x"}
    assert olga.post(f"/products/{PRODUCT}/change", form).status_code == 422
    assert pages.execute("select count(*) from movement") == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"])
def test_no_other_method_does_anything(pages: Pages, method: str) -> None:
    """What is neither reading nor a form of ours is refused before any page is asked."""
    browser = pages.browser("olga")
    for path, _ in _reading(pages):
        assert browser.ask(method, path).status_code in {400, 405}, path


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost:x", "a b", "", 300 * "x"]
)
def test_no_other_address_is_answered(pages: Pages, host: str) -> None:
    """A page of another name that leads here, as by DNS rebinding, reads nothing; our health is nobody's secret."""
    browser = pages.browser("olga")
    for path, endpoint in _reading(pages):
        answer = browser.ask("GET", path, headers={"Host": host})
        well = endpoint in gate.ANYWHERE and len(host) < 300  # what is no name at all leads nowhere
        off = endpoint == "storefront.stock"  # nobody may ask here
        assert answer.status_code == ((404 if off else 200) if well else 400), path
        assert NAME not in answer.text


def test_the_other_name_of_this_machine_leads_to_ours(pages: Pages) -> None:
    """Who types `localhost` is sent to the address that is answered; a form from there is refused."""
    browser = pages.browser("olga")
    other = pages.origin.replace("http://127.0.0.1", "localhost")
    answer = browser.ask("GET", "/products", headers={"Host": other})
    assert (answer.status_code, answer.headers["Location"]) == (303, pages.origin + "/")
    form = {"Host": other, "Origin": f"http://{other}"}
    assert browser.ask("POST", "/login", data={"name": "olga"}, headers=form).status_code == 400
