"""The web pages as browsers meet them: the real application behind waitress, and browsers that keep cookies."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import requests
from flask import Flask

from services.backoffice.operations import people
from services.backoffice.operations.reports.stock import Ledger
from services.backoffice.web.app import create
from services.backoffice.web.office import Office
from services.backoffice.web.serve import listening
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.stripe_api.client import StripeApi
from shared.topology import PIPELINE
from shared.vocabulary import account_key
from tests.support.ports import free_port

ACCOUNT: Final = account_key(None, livemode=False)
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

    def log_in(self, name: str, password: str = PASSWORD) -> requests.Response:
        """Type name and password."""
        return self.post("/login", {"name": name, "password": password})

    def hold(self, cookie: str) -> None:
        """Send this cookie, whatever was given."""
        self.session.cookies.clear()
        self.session.headers["Cookie"] = cookie

    def csrf(self) -> str:
        """The token that the forms of this visit hold."""
        found = _TOKEN.search(self.get("/").text)
        assert found is not None
        return found[1]

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
    database_url: str = field(repr=False)

    def browser(self, name: str = "") -> Browser:
        """A browser, with `name` logged in where one is given."""
        made = Browser(self.url, self.origin)
        made.session.headers["Host"] = urlsplit(self.origin).netloc
        if name:
            answer = made.log_in(name)
            assert answer.status_code == 303, answer.text
        return made

    def execute(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """The rows that a statement returns, if any."""
        with self.database.transaction() as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def served(database_url: str, origin: str = "", stripe: str = NOWHERE) -> Generator[Pages]:
    """The pages on a free port, until the end of the block.

    `origin` is what browsers call them elsewhere, `stripe` where Stripe is.
    """
    url = f"http://127.0.0.1:{free_port()}"
    with closing(Database(database_url, name="pages", size=8)) as database:
        broker = EmbeddedBroker(database_url, PIPELINE)
        with closing(broker):
            broker.declare()
            ledger, api = Ledger(database, ACCOUNT, 5), StripeApi("sk_test_pages", stripe)
            app = create(Office(ledger, broker, ZoneInfo("UTC"), origin or url, api))
            with _running(app, url, behind_proxy=origin.startswith("https:")):
                yield Pages(app, url, origin or url, database, database_url)


def add_people(database: Database, **roles: people.Role) -> None:
    """Let some in, all with PASSWORD."""
    for name, role in roles.items():
        people.save(database, name, role, PASSWORD)


@contextmanager
def _running(app: Flask, url: str, *, behind_proxy: bool) -> Generator[None]:
    server = listening(app, urlsplit(url).netloc, behind_proxy=behind_proxy)
    thread = Thread(target=server.run, name="pages", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.close()
        thread.join(10)


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def no_stripe() -> StripeApi:
    """Where no page that is asked for looks at Stripe."""
    return StripeApi("sk_test_pages", NOWHERE)
