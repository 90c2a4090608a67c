"""What has happened in a shop: goods, movements, sales, snapshots and runs of jobs, written down as they would be."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from shared import clock
from shared.database.pool import Database
from shared.store.jobs import Jobs, Planned
from shared.store.movements import Movements
from shared.store.products import Products
from shared.store.sales import Buyer, Sale, Sales
from shared.store.snapshots import SnapshotRow, Snapshots
from shared.vocabulary import (
    LineItemId,
    Movement,
    MovementKind,
    ProductId,
    SessionId,
    Size,
    StockStatus,
    UnplacedSale,
)
from tests.integration.reports import ledger as books
from tests.support.pages import ACCOUNT

EVIL: Final = '<b>Mug</b> & "co"'
SHIRT, MUG = ProductId("prod_shirt"), ProductId("prod_mug")
ROWS: Final = (
    SnapshotRow(SHIRT, Size("M"), "Blue shirt", True, "39", 39, StockStatus.IN),  # noqa: FBT003 - a row's columns
    SnapshotRow(SHIRT, Size("L"), "Blue shirt", True, "a few", None, StockStatus.NOT_A_NUMBER),  # noqa: FBT003 - the same
    SnapshotRow(MUG, Size(""), "=Mug", True, None, None, StockStatus.NO_VALUE),  # noqa: FBT003 - the same
)
_NUMBERS: Final = itertools.count(1)


def product(database: Database, name: str, *sizes: str) -> ProductId:
    """A new product, with ten of each size."""
    made = ProductId(f"prod_{next(_NUMBERS)}")
    managed = {Size(size): "managed" for size in sizes or ("",)}
    came = [
        Movement(ACCOUNT, made, size, 10, MovementKind.OPENING, f"opening:{made}:{size}") for size in managed
    ]
    with database.transaction() as connection:
        products = Products(connection, ACCOUNT)
        products.create(made, name)
        products.save_sizes(made, managed, opened=list(managed))
        Movements(connection, ACCOUNT).append(came)
        products.mark_clean(made)
    return made


def moved(database: Database, product: ProductId) -> list[tuple[Any, ...]]:
    """(kind, size, delta, session, actor, reason) of what moved since the product was opened."""
    with database.transaction() as connection:
        return connection.execute(
            """
            select kind, size, delta, session_id, actor, reason from movement
            where product_id = %s and kind <> 'opening' order by id
            """,
            (product,),
        ).fetchall()


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


def sell(database: Database, sessions: Iterable[str], *, at: datetime, **rest: object) -> None:
    """A booked sale of one shirt in M for each session, all at one moment."""
    booked = [_sale(session, at, **rest) for session in sessions]
    with database.transaction() as connection:
        Sales(connection, ACCOUNT).record(booked)
        connection.execute(
            "update sale set booked_at = %s where session_id = any(%s)", (at, [one.session for one in booked])
        )
    books.append(
        database, [books.Entry(SHIRT, Size("M"), -1, MovementKind.SALE, at, one.session) for one in booked]
    )


def _sale(session: str, at: datetime, **rest: object) -> Sale:
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
    sell(database, ["cs_kept"], at=began + timedelta(days=1), customer="cus_zoe", buyer=buyer)
    sell(
        database,
        ["cs_late"],
        at=began + timedelta(days=2),
        origin="recovery",
        reason="the webhook <failed>",
        delay=timedelta(hours=3),
    )
    sell(database, ["cs_odd"], at=began + timedelta(days=3), lines=2, unplaced=1)
    held = UnplacedSale(
        ACCOUNT, SessionId("cs_odd"), LineItemId("li_2"), "cs_odd:li_2", SHIRT, "<XXL>", 2, "no such size"
    )
    with database.transaction() as connection:
        Sales(connection, ACCOUNT).hold([held])
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


def schedule(database: Database) -> None:
    """The job recover runs every quarter of an hour, and is about to."""
    with database.transaction() as connection:
        jobs = Jobs(connection, ACCOUNT)
        jobs.save_schedules([Planned("recover", "*/15 * * * *", "Europe/Berlin", clock.now())])
        jobs.plan("recover", clock.now(), actor="schedule")


def runs(database: Database, job: str, *states: str) -> None:
    """Runs of a job that ended so, the newest first, each with its place as a figure or with an error."""
    with database.transaction() as connection:
        jobs, at = Jobs(connection, ACCOUNT), clock.now()
        for number, state in enumerate(states):
            planned, done = at - timedelta(minutes=number), state == "done"
            jobs.plan(job, planned, actor="schedule")
            jobs.finish(
                job,
                planned,
                state,
                figures={"looked_at": number} if done else {},
                error="" if done else "<Stripe>",
            )
