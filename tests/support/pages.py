"""The web pages as browsers meet them: the real application behind waitress, and browsers that keep cookies."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import requests
from flask import Flask
from waitress.server import BaseWSGIServer

from services.backoffice.operations import passwords, people
from services.backoffice.operations.reports.stock import Ledger
from services.backoffice.web.app import create
from services.backoffice.web.office import Office
from services.backoffice.web.serve import listening
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Broker
from shared.database.pool import Database
from shared.store.people import People, Role, Visits
from shared.stripe_api.client import StripeApi
from shared.topology import PIPELINE
from shared.vocabulary import account_key
from tests.support.ports import free_port

ACCOUNT: Final = account_key(None, livemode=False)
ZONE: Final = ZoneInfo("Europe/Berlin")
PASSWORD: Final = "unrelated words of a test"
NOWHERE: Final = "http://127.0.0.1:1"
HEADERS: Final = (
    "Cache-Control",
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
)
"""What every answer has to carry."""
_TOKEN: Final = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(slots=True)
class Browser:
    """One person's: it keeps cookies, follows no redirect by itself, and names the origin with every form."""

    url: str
    origin: str
    session: requests.Session = field(default_factory=requests.Session)
    _csrf: str = ""

    def ask(self, method: str, path: str, **more: object) -> requests.Response:
        """The answer, which carries all headers that an answer must."""
        self.session.trust_env = False
        self.session.headers["Connection"] = "close"  # so that a served application can end
        answer = self.session.request(
            method,
            self.url + path,
            **{"timeout": 30, "allow_redirects": False, **more},  # pyright: ignore[reportArgumentType]
        )
        assert [name for name in HEADERS if name not in answer.headers] == [], f"{method} {path}"
        return answer

    def get(self, path: str, **headers: str) -> requests.Response:
        """A page; `HX_Request` is sent as `HX-Request`."""
        return self.ask("GET", path, headers=_dashed(headers))

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> requests.Response:
        """A form, as a page of ours sends it; a header that is '' is left out."""
        sent = {"Origin": self.origin, **_dashed(headers)}
        return self.ask(
            "POST", path, data=dict(form), headers={name: value for name, value in sent.items() if value}
        )

    def see(self, path: str, **query: str) -> str:
        """The text of a page that is there."""
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.text

    def part(self, path: str) -> str:
        """The part of a page that a script asks for."""
        answer = self.get(path, HX_Request="true")
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **form: str) -> requests.Response:
        """A form of this visit's."""
        return self.post(path, {"csrf": self.csrf(), **form})

    def done(self, path: str, **form: str) -> str:
        """Send a form that works; the page that follows, with its notice."""
        answer = self.send(path, **form)
        assert answer.status_code == 303, answer.text
        return self.see(answer.headers["Location"])

    def refused(self, path: str, **form: str) -> str:
        """Send a form that does not; the page that says why."""
        answer = self.send(path, **form)
        assert answer.status_code == 422, answer.text
        return answer.text

    def log_in(self, name: str, password: str = PASSWORD) -> requests.Response:
        """Type name and password."""
        self._csrf = ""
        return self.post("/login", {"name": name, "password": password})

    def hold(self, cookie: str) -> None:
        """Send this cookie, whatever was given."""
        self._csrf = ""
        self.session.cookies.clear()
        self.session.headers["Cookie"] = cookie

    def csrf(self) -> str:
        """The token that the forms of this visit hold."""
        if not self._csrf:
            found = _TOKEN.search(self.see("/import"))
            assert found is not None
            self._csrf = found[1]
        return self._csrf

    @property
    def cookie(self) -> str:
        """The value of the only cookie there is, empty without one."""
        return next(iter(self.session.cookies.values()), "")


@dataclass(frozen=True, slots=True)
class Pages:
    """A served application: where it listens, what it is called, and what it stands on."""

    app: Flask
    url: str
    origin: str
    database: Database
    broker: Broker
    database_url: str = field(repr=False)

    def browser(self, name: str = "") -> Browser:
        """A browser, in which `name` has come in where one is given."""
        made = Browser(self.url, self.origin)
        made.session.headers["Host"] = urlsplit(self.origin).netloc
        if name:
            jar: Any = made.session.cookies
            jar.set(**self.cookie(name))
        return made

    def cookie(self, name: str) -> dict[str, str]:
        """What a browser is given in which `name` logs in; to look at a password takes a quarter of a second."""
        token = secrets.token_urlsafe(32)
        hashed = hashlib.sha256(token.encode()).digest()
        with self.database.transaction() as connection:
            Visits(connection).begin(hashed, name, secrets.token_urlsafe(32), longest=people.LONGEST)
        where = urlsplit(self.origin)
        called = "__Host-stocksync" if where.scheme == "https" else "stocksync"
        return {"name": called, "value": token, "domain": where.hostname or "", "path": "/"}

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a statement returns, if any."""
        with self.database.transaction() as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def row(self, statement: str, *values: object) -> tuple[Any, ...]:
        """The only row that it returns."""
        (found,) = self.execute(statement, *values)
        return found


@contextmanager
def served(
    database_url: str, origin: str = "", stripe: str = NOWHERE, broker: Broker | None = None
) -> Generator[Pages]:
    """The pages on a free port, until the end of the block.

    `origin` is what browsers call them elsewhere, `stripe` where Stripe is, `broker` another queue than the database's.
    """
    url = f"http://127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        database = stack.enter_context(closing(Database(database_url, name="pages", size=8)))
        queue = broker or stack.enter_context(_queue(database_url))
        ledger, api = Ledger(database, ACCOUNT, 5), StripeApi("sk_test_pages", stripe)
        app = create(Office(ledger, queue, ZONE, origin or url, api))
        stack.enter_context(_running(app, url, behind_proxy=origin.startswith("https:")))
        yield Pages(app, url, origin or url, database, queue, database_url)


def add_people(database: Database, **roles: Role) -> None:
    """Let some in, all with PASSWORD."""
    with database.transaction() as connection:
        for name, role in roles.items():
            People(connection).save(name, role, _kept(name))


@cache
def _kept(_name: str) -> str:
    """PASSWORD as it is kept, with a salt for each name."""
    return passwords.kept(PASSWORD)


@contextmanager
def _queue(database_url: str) -> Generator[EmbeddedBroker]:
    with closing(EmbeddedBroker(database_url, PIPELINE)) as broker:
        broker.declare()
        yield broker


@contextmanager
def _running(app: Flask, url: str, *, behind_proxy: bool) -> Generator[None]:
    server = listening(app, urlsplit(url).netloc, behind_proxy=behind_proxy)
    assert isinstance(server, BaseWSGIServer)
    trigger: Any = server.trigger
    thread = Thread(target=server.run, name="pages", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.task_dispatcher.shutdown()  # whoever still answers wants the trigger
        trigger.pull_trigger(server.close)  # by its own thread, which would look for it once a second
        thread.join(10)


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def words(page: str) -> str:
    """The text of a page, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def no_stripe() -> StripeApi:
    """Where no page that is asked for looks at Stripe."""
    return StripeApi("sk_test_pages", NOWHERE)
