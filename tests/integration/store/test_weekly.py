from __future__ import annotations

from datetime import timedelta

from services.reconciler import weekly
from shared import clock
from shared.cover import PACE_DAYS, days_left
from shared.database.pool import Database
from shared.periods import Period
from shared.store.movements import sold_lately
from shared.store.weekly import Weekly
from shared.vocabulary import MovementKind, ProductId, Size
from tests.integration.reports.ledger import ACCOUNT, Entry, append, create

MUG, M = ProductId("prod_mug"), Size("M")


def test_the_weekly_mail_and_that_of_low_stock_say_the_same_of_a_size(database: Database) -> None:
    """A size that is known for a year and was sold once lately lasts as long in both, by the pace of four weeks."""
    now = clock.now()
    create(database, {MUG: "Mug"}, ("M",))
    sold = [(400, 100, MovementKind.OPENING), (300, -97, MovementKind.SALE), (2, -1, MovementKind.SALE)]
    append(database, [Entry(MUG, M, delta, kind, now - timedelta(days=ago)) for ago, delta, kind in sold])
    with database.transaction() as connection:
        week = Weekly(connection, ACCOUNT, Period(now - timedelta(days=7), now))
        (seller,) = weekly.sellers(week.sold(weekly.pace_begins(now)), now)
        (pace,) = sold_lately(connection, [(ACCOUNT, MUG, M)], days=PACE_DAYS).values()
    assert seller.cover == days_left(seller.left, pace) == 2 * 28
