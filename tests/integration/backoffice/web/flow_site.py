"""The web pages on a free port, people who are logged in, and a shop with a history to show."""

from __future__ import annotations

import re
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread
from zoneinfo import ZoneInfo

import requests
from waitress.server import create_server

from services.backoffice.operations import people
from services.backoffice.operations.reports.stock import Ledger
from services.backoffice.web.app import create
from services.backoffice.web.office import Office
from shared import clock
from shared.broker.port import Broker, DeadLetter, Delivery, Outgoing, Subscription, Verdict
from shared.database.pool import Database
from shared.store.people import Role
from shared.store.sales import Buyer, Sale, Sales
from shared.store.snapshots import SnapshotRow, Snapshots
from shared.vocabulary import (
    AccountKey,
    LineItemId,
    MovementKind,
    ProductId,
    SessionId,
    Size,
    StockStatus,
    UnplacedSale,
)
from tests.integration.reports import ledger as books
from tests.support.pages import no_stripe
from tests.support.ports import free_port
from tests.support.waiting import until

ACCOUNT = AccountKey("self:test")
ZONE = ZoneInfo("Europe/Berlin")
PASSWORD = "four words nobody guesses"
EVIL = '<b>Mug</b> & "co"'
SHIRT, MUG = ProductId("prod_shirt"), ProductId("prod_mug")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody's browser, logged in."""

    url: str
    name: str
    browser: requests.Session

    def get(self, path: str, **query: str) -> requests.Response:
        """A page."""
        return self.browser.get(self.url + path, params=query, timeout=30)

    def part(self, path: str) -> str:
        """The part of a page that a script asks for."""
        return self.browser.get(self.url + path, headers={"HX-Request": "true"}, timeout=30).text

    def text(self, path: str, **query: str) -> str:
        """A page that is there."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, **form: str) -> requests.Response:
        """A form of ours, and the page it ends with."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.text("/movements"))
        assert token is not None
        return self.browser.post(
            self.url + path, data={"csrf": token[1], **form}, headers={"Origin": self.url}, timeout=30
        )


@dataclass(frozen=True, slots=True)
class Site:
    """The pages, whose books they show, and the queue."""

    url: str
    database: Database
    broker: Broker

    def visitor(self, role: Role = "operator") -> Visitor:
        """Somebody new."""
        name = f"{role}-{uuid.uuid4().hex[:8]}"
        people.save(self.database, name, role, PASSWORD)
        browser = requests.Session()
        answer = browser.post(
            f"{self.url}/login",
            data={"name": name, "password": PASSWORD},
            headers={"Origin": self.url},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return Visitor(self.url, name, browser)


@contextmanager
def served(database: Database, broker: Broker) -> Generator[Site]:
    """The pages while the block lasts."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    app = create(Office(Ledger(database, ACCOUNT, 5), broker, ZONE, origin, no_stripe()))
    server = create_server(app, host="127.0.0.1", port=port, threads=4)
    Thread(target=server.run, daemon=True).start()
    yield Site(origin, database, broker)
    server.task_dispatcher.shutdown()
    server.close()


def move(database: Database, *entries: tuple[str, int, MovementKind, str], at: datetime) -> None:
    """Movements of the shirt at one moment: size, units, kind, reason."""
    with database.transaction() as connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into movement (account, product_id, size, delta, kind, source_key, actor, reason, at)
            values (%s, %s, %s, %s, %s, %s, 'ada', %s, %s)
            """,
            [
                (ACCOUNT, SHIRT, size, delta, kind.value, uuid.uuid4().hex, reason, at)
                for size, delta, kind, reason in entries
            ],
        )


def sell(database: Database, session: str, *, at: datetime, **rest: object) -> None:
    """A booked sale of one shirt in M."""
    with database.transaction() as connection:
        Sales(connection, ACCOUNT).record([sale(session, at, **rest)])
        connection.execute("update sale set booked_at = %s where session_id = %s", (at, session))
    books.append(database, [books.Entry(SHIRT, Size("M"), -1, MovementKind.SALE, at, session)])


def sale(session: str, at: datetime, **rest: object) -> Sale:
    """A session with one line, as the stock worker books it."""
    fields: dict[str, object] = {"origin": "webhook", "lines": 1, "unplaced": 0, **rest}
    return Sale(account=ACCOUNT, session=SessionId(session), event=None, created_at=at, **fields)  # pyright: ignore[reportArgumentType] - a test names fields as it likes


def stock(database: Database) -> datetime:
    """A shirt in two sizes and a mug with an evil name, a week old; when that was."""
    began = clock.now() - timedelta(days=7)
    books.create(database, {SHIRT: "Blue shirt"}, ["M", "L"])
    books.create(database, {MUG: EVIL})
    opened = [
        books.Entry(product, Size(size), units, MovementKind.OPENING, began)
        for product, size, units in ((SHIRT, "M", 40), (SHIRT, "L", 4), (MUG, "", 0))
    ]
    books.append(database, opened)
    return began


def history(database: Database) -> None:
    """Three sales: one by webhook whose buyer is kept, one that was recovered, one with a line that fits no size."""
    began = stock(database)
    buyer = Buyer("Zoë <i>", "zoe@example.com")
    sell(database, "cs_kept", at=began + timedelta(days=1), customer="cus_zoe", buyer=buyer)
    sell(
        database,
        "cs_late",
        at=began + timedelta(days=2),
        origin="recovery",
        reason="the webhook <failed>",
        delay=timedelta(hours=3),
    )
    sell(database, "cs_odd", at=began + timedelta(days=3), lines=2, unplaced=1)
    held = UnplacedSale(
        ACCOUNT, SessionId("cs_odd"), LineItemId("li_2"), "cs_odd:li_2", SHIRT, "<XXL>", 2, "no such size"
    )
    with database.transaction() as connection:
        Sales(connection, ACCOUNT).hold([held])
    with database.transaction() as connection:
        connection.execute(
            """
            insert into movement (account, product_id, size, delta, kind, source_key, session_id, actor, reason, at)
            values (%s, %s, 'M', 1, 'returned', 're_1', 'cs_kept', 'ada', 'too small', %s)
            """,
            (ACCOUNT, SHIRT, began + timedelta(days=4)),
        )
    move(database, ("M", 5, MovementKind.RESTOCK, "delivery <17>"), at=began + timedelta(days=4))


def snapshot(database: Database, *rows: SnapshotRow) -> int:
    """A finished snapshot of these rows; its number."""
    with database.transaction() as connection:
        snapshots = Snapshots(connection, ACCOUNT)
        number = snapshots.begin(clock.now(), actor="ada", reason="before <the> sale")
        snapshots.add(number, rows)
        snapshots.finish(number)
    return number


ROWS = (
    SnapshotRow(SHIRT, Size("M"), "Blue shirt", True, "39", 39, StockStatus.IN),  # noqa: FBT003 - a row's columns
    SnapshotRow(SHIRT, Size("L"), "Blue shirt", True, "a few", None, StockStatus.NOT_A_NUMBER),  # noqa: FBT003 - the same
    SnapshotRow(MUG, Size(""), "=Mug", True, None, None, StockStatus.NO_VALUE),  # noqa: FBT003 - the same
)


def park(
    broker: Broker,
    messages: Sequence[Outgoing],
    queues: Sequence[str],
    reason: str = "nobody <knows> it",
) -> None:
    """Have these messages refused by whoever handles their queues."""
    broker.publish(*messages)
    stop = Event()

    def refuse(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        return [DeadLetter(reason) for _ in deliveries]

    subscriptions = [Subscription(queue, refuse) for queue in queues]
    consumer = Thread(target=broker.consume, args=(subscriptions, stop))
    consumer.start()
    until("all to lie aside", lambda: sum(broker.depth(queue).dead for queue in queues) == len(messages))
    stop.set()
    consumer.join(30)
