"""The shop of the tour: a month of sales and restocks, and something waiting in each inbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

from shared import clock
from shared.topology import SALES
from shared.vocabulary import AlertKind, MovementKind, ProductId, Size
from tests.integration.reports.ledger import Entry, append, create
from tests.support import inboxes
from tests.support.pages import Pages

DAYS: Final = 30
GOODS: Final = {
    ProductId("prod_shirt"): ("Blue shirt", {"S": 14, "M": 22, "L": 18}, 1.2),
    ProductId("prod_socks"): ("Wool socks", {"36-40": 30, "41-45": 26}, 0.9),
    ProductId("prod_mug"): ("Enamel mug", {"": 40}, 1.1),
    ProductId("prod_tote"): ("Canvas tote", {"": 18}, 0.7),
    ProductId("prod_cap"): ("Cap", {"": 9}, 0.35),
}
"""Name, units at the beginning, and how many are sold a day of each size."""
LEAST: Final = 4
"""Units at which a delivery comes, of all but the last good, which nobody orders any more."""


def fill(site: Pages) -> None:
    """Write the month down, and leave something in each inbox."""
    for product, (name, sizes, _) in GOODS.items():
        create(site.database, {product: name}, list(sizes))
    append(site.database, list(_month(clock.now(), Random(11))))
    with site.database.transaction() as connection:
        connection.execute(
            """
            insert into sale (account, session_id, origin, event_id, created_at, booked_at, lines, skipped, reason)
            select account, session_id, 'webhook', 'evt_' || id, at, at, 1, 0, ''
            from movement where session_id is not null
            """
        )
    inboxes.held(site.database, ProductId("prod_shirt"), "medium")
    inboxes.finding(site.database, ProductId("prod_socks"), "Wool socks", "it shows “about 20”")
    inboxes.refund(site.database, ProductId("prod_mug"), "", likeness="exact", proposed=1)
    inboxes.alert(
        site.database,
        AlertKind.LOW_STOCK,
        "prod_cap/",
        name="Cap",
        product="prod_cap",
        on_hand=2,
        threshold=5,
    )
    inboxes.park(site.broker, [inboxes.paid("cs_live_other")], [SALES], "Stripe does not know the session")


def _month(now: datetime, random: Random) -> Iterator[Entry]:
    """What came and went, in order."""
    left: dict[tuple[ProductId, str], int] = {}
    begun = now - timedelta(days=DAYS)
    for product, (_, sizes, _) in GOODS.items():
        for size, units in sizes.items():
            left[product, size] = units
            yield Entry(product, Size(size), units, MovementKind.OPENING, begun)
    for hour in range(DAYS * 24):
        at = begun + timedelta(hours=hour, minutes=random.randrange(60))
        for product, (_, sizes, daily) in GOODS.items():
            for size in sizes:
                if random.random() < daily / 24 and left[product, size] > 0:
                    left[product, size] -= 1
                    session = f"cs_live_{random.randrange(16**12):012x}"
                    yield Entry(product, Size(size), -1, MovementKind.SALE, at, session)
                elif left[product, size] <= LEAST and product != ProductId("prod_cap") and hour % 24 == 9:
                    left[product, size] += 20
                    yield Entry(product, Size(size), 20, MovementKind.RESTOCK, at)
