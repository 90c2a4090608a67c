"""The web pages served to an operator and a viewer, and a shop with something for them to decide."""

from __future__ import annotations

import itertools
import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import requests
from waitress.server import create_server

from services.backoffice.operations import people
from services.backoffice.operations.reports.stock import Ledger
from services.backoffice.web.app import create
from services.backoffice.web.office import Office
from shared import clock
from shared.alerts import NewAlert, unplaced_facts
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Connection, Database
from shared.findings import Cause, NewFinding
from shared.store.alerts import Alerts
from shared.store.findings import Findings, retell
from shared.store.movements import Movements
from shared.store.products import Products
from shared.store.refunds import Refund, Refunds
from shared.store.sales import Sales
from shared.topology import PIPELINE
from shared.vocabulary import (
    AccountKey,
    AlertKind,
    LineItemId,
    Movement,
    MovementKind,
    ProductId,
    RefundId,
    SessionId,
    Size,
    UnplacedSale,
    account_key,
)
from tests.support.pages import no_stripe
from tests.support.ports import free_port

ACCOUNT = account_key(None, livemode=False)
PASSWORD = "seven grey herons wade"


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody with a browser; `csrf` is what their forms hold."""

    origin: str
    session: requests.Session
    csrf: str

    def see(self, path: str, *, part: bool = False) -> str:
        """The page, or the part of it that a script asks for."""
        answer = self.session.get(
            self.origin + path, headers={"HX-Request": "true"} if part else {}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **fields: str) -> requests.Response:
        """Send a form without scripts, and go nowhere after it."""
        return self.session.post(
            self.origin + path,
            {"csrf": self.csrf, **fields},
            headers={"Origin": self.origin},
            allow_redirects=False,
            timeout=30,
        )

    def done(self, path: str, **fields: str) -> str:
        """Send a form that works; the page that follows, with its notice."""
        answer = self.send(path, **fields)
        assert answer.status_code == 303, answer.text
        return self.see(answer.headers["Location"])

    def refused(self, path: str, **fields: str) -> str:
        """Send a form that does not; the page that says why."""
        answer = self.send(path, **fields)
        assert answer.status_code == 422, answer.text
        return answer.text


@dataclass(frozen=True, slots=True)
class Site:
    """The pages, who looks at them, and the shop behind them."""

    database: Database
    operator: Guest
    viewer: Guest
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def product(self, name: str, *sizes: str) -> ProductId:
        """A new product, with ten of each size."""
        product = ProductId(f"prod_{next(self._numbers)}")
        managed = {Size(size): "managed" for size in sizes or ("",)}
        came = [
            Movement(ACCOUNT, product, size, 10, MovementKind.OPENING, f"opening:{product}:{size}")
            for size in managed
        ]

        def work(connection: Connection) -> None:
            products = Products(connection, ACCOUNT)
            products.create(product, name)
            products.save_sizes(product, managed, opened=list(managed))
            Movements(connection, ACCOUNT).append(came)
            products.mark_clean(product)

        self.database.run(work)
        return product

    def held(self, product: ProductId | None, hint: str | None = None, quantity: int = 2) -> tuple[int, str]:
        """A line that waits for its size, with its alert; its number and session."""
        session, line = SessionId(f"cs_{next(self._numbers)}"), LineItemId("li_1")
        key, reason = f"sale:{session}:{line}", "the sale does not say which size was sold"
        facts = unplaced_facts(session, line, quantity=quantity, reason=reason)

        def work(connection: Connection) -> None:
            Sales(connection, ACCOUNT).hold(
                [UnplacedSale(ACCOUNT, session, line, key, product, hint, quantity, reason)]
            )
            Alerts(connection, ACCOUNT).raise_(
                [NewAlert(ACCOUNT, AlertKind.UNPLACED_SALE, f"{session}/{line}", facts)]
            )

        self.database.run(work)
        return int(self.one("select id from unplaced_sale where source_key = %s", key)[0]), session

    def finding(self, product: ProductId, name: str = "Mug", detail: str = "it shows “3 pcs”") -> int:
        """A number that can't be read, and the alert that tells of it."""

        def work(connection: Connection) -> int:
            found = NewFinding(Cause.NOT_A_NUMBER, product, name=name, detail=detail)
            (number,) = Findings(connection, ACCOUNT).see([found])
            retell(connection, ACCOUNT, news=True)
            return number

        return self.database.run(work)

    def alert(self, kind: AlertKind, subject: str, **facts: str | int) -> int:
        """An open alert."""
        (number,) = self.database.run(
            lambda c: Alerts(c, ACCOUNT).raise_([NewAlert(ACCOUNT, kind, subject, facts)])
        )
        return number

    def refund(self, product: ProductId, size: str, *, likeness: str, proposed: int) -> RefundId:
        """Three units were sold in one line, and money of one went back."""
        number = next(self._numbers)
        session, refund, line = SessionId(f"cs_{number}"), RefundId(f"re_{number}"), f"li_{number}"
        sale = Movement(
            ACCOUNT, product, Size(size), -3, MovementKind.SALE, f"sale:{session}:{line}", session=session
        )
        made = Refund(refund, session, "partial", likeness, 490, "jpy", "open", clock.now())

        def work(connection: Connection) -> None:
            Movements(connection, ACCOUNT).append([sale])
            refunds = Refunds(connection, ACCOUNT)
            refunds.propose(made, refunds.booked(session), [proposed])
            Alerts(connection, ACCOUNT).raise_(
                [NewAlert(ACCOUNT, AlertKind.REFUND_PROPOSED, refund, {"reason": "490 JPY went back"})]
            )

        self.database.run(work)
        return refund

    def movements(self, product: ProductId) -> list[tuple[Any, ...]]:
        """(kind, size, delta, session, actor, reason) of what moved since the product was opened."""
        return self.all(
            """
            select kind, size, delta, session_id, actor, reason from movement
            where product_id = %s and kind <> 'opening' order by id
            """,
            product,
        )

    def open_alerts(self, subject: str) -> int:
        """How many are open about it."""
        return int(
            self.one("select count(*) from alert where subject = %s and resolved_at is null", subject)[0]
        )

    def one(self, query: Any, *values: object) -> tuple[Any, ...]:  # noqa: ANN401 - SQL of the test
        """The only row there is."""
        (row,) = self.all(query, *values)
        return row

    def all(self, query: Any, *values: object) -> list[tuple[Any, ...]]:  # noqa: ANN401 - SQL of the test
        """All rows there are."""
        with self.database.transaction() as connection:
            return connection.execute(query, values).fetchall()


@contextmanager
def served(database_url: str, account: AccountKey = ACCOUNT) -> Generator[Site]:
    """The pages on a port of their own, with `anna` who may change things and `vera` who may look."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with (
        closing(Database(database_url, name="tests", size=8)) as database,
        closing(EmbeddedBroker(database_url, PIPELINE)) as broker,
    ):
        broker.declare()
        app = create(
            Office(Ledger(database, account, 5), broker, ZoneInfo("Europe/Berlin"), origin, no_stripe())
        )
        server = create_server(app, host="127.0.0.1", port=port, threads=4)
        thread = Thread(target=server.run, daemon=True)
        thread.start()
        people.save(database, "anna", "operator", PASSWORD)
        people.save(database, "vera", "viewer", PASSWORD)
        with requests.Session() as first, requests.Session() as second:
            yield Site(database, _enter(origin, first, "anna"), _enter(origin, second, "vera"))
        server.close()


def _enter(origin: str, session: requests.Session, name: str) -> Guest:
    answer = session.post(
        f"{origin}/login", {"name": name, "password": PASSWORD}, headers={"Origin": origin}, timeout=30
    )
    found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
    assert found, answer.text
    return Guest(origin, session, found[1])
