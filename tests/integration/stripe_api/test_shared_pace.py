from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context

import pytest

from shared.database.errors import DatabaseOutage
from shared.database.pool import Database
from shared.paced_stripe import SharedPace
from shared.store import pace
from shared.store.sales import Sale, Sales
from shared.stripe_api.client import StripeApi
from shared.stripe_api.pace import BURST, Limits
from shared.vocabulary import AccountKey, ProductId, SessionId
from tests.integration.stripe_api.callers import reserve
from tests.integration.stripe_api.conftest import ACCOUNT, KEY, USUAL, Account

PROCESSES = 4
ROUNDING = 0.002  # seconds: the clock is read once for the turn and once more for what is left until then


def together(url: str, limits: Limits, calls: int, names: int = 6) -> list[tuple[str, float]]:
    """When calls to so many endpoints may go that several greedy processes reserve at once."""
    endpoints = [f"GET {n % names}" for n in range(calls)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        work = partial(reserve, url, limits)
        return [due for dues in pool.map(work, [endpoints] * PROCESSES) for due in dues]


def busiest_second(times: Sequence[float]) -> int:
    """The most calls within any one second."""
    ordered = sorted(times)
    return max(bisect_left(ordered, at + 1 - ROUNDING) - n for n, at in enumerate(ordered))


def test_four_processes_together_keep_the_limits(database_url: str) -> None:
    """In no second do greedy processes together exceed 20 calls to an endpoint, a burst apart, or 80 in all."""
    dues = together(database_url, USUAL, calls=72)
    by_endpoint = [[at for name, at in dues if name == f"GET {n}"] for n in range(6)]
    assert max(busiest_second(times) for times in by_endpoint) <= 20 + BURST
    assert busiest_second([at for _, at in dues]) <= 80 + 1


def test_without_limits_they_would_be_far_over(database_url: str) -> None:
    """The negative control: the same processes without limits exceed what one endpoint allows."""
    dues = together(database_url, Limits(per_endpoint=1e9, overall=1e9), calls=72, names=1)
    assert busiest_second([at for _, at in dues]) > 20 + BURST


def test_each_stripe_account_has_its_own_pace(database: Database) -> None:
    """One account's crowd does not hold up another account."""
    crowd = SharedPace(database, ACCOUNT, USUAL)
    for _ in range(40):
        crowd.take("GET x", write=False)
    other = SharedPace(database, AccountKey("self:live"), USUAL)
    assert other.take("GET x", write=False).wait < 0.1


def test_fault_71_a_clock_put_back_does_not_stop_the_calls(database: Database) -> None:
    """Times written an hour ahead, as a clock that jumps back leaves them, hold nobody for more than a minute or so."""
    shared = SharedPace(database, ACCOUNT, USUAL)
    shared.take("GET x", write=False)
    shared.refuse("GET x", "refused")
    with database.transaction() as connection:
        connection.execute(
            """
            update stripe_pace set free_at = now() + interval '1 hour', held_until = now() + interval '1 hour',
                turns = array[now() + interval '1 hour'], probe_at = probe_at + interval '1 hour'
            """
        )
    assert shared.take("GET x", write=False).wait < 75


def test_calls_are_counted_by_month_and_kind(database: Database) -> None:
    """Every turn counts as a read or a write of its account, and nothing else does."""
    shared = SharedPace(database, ACCOUNT, USUAL)
    for write in (False, False, True):
        shared.take("GET x", write=write)
    used = database.run(lambda connection: pace.usage(connection, ACCOUNT))
    assert (used.reads, used.writes, used.sales) == (2, 1, 0)
    assert used.month.day == 1
    other = database.run(lambda connection: pace.usage(connection, AccountKey("self:live")))
    assert (other.reads, other.writes) == (0, 0)


def test_the_allowance_grows_with_the_sales_of_30_days(database: Database) -> None:
    """500 reads for each booked session of the last 30 days are allowed, and never fewer than 10,000."""
    now = datetime.now(UTC)
    booked = [Sale(ACCOUNT, SessionId(f"cs_{n}"), "webhook", None, now, 1, 0) for n in range(30)]
    with database.transaction() as connection:
        assert pace.usage(connection, ACCOUNT).reads_allowed == 10_000
        Sales(connection, ACCOUNT).record(booked)
        assert pace.usage(connection, ACCOUNT).reads_allowed == 15_000
        connection.execute("update sale set booked_at = booked_at - interval '31 days'")
        assert pace.usage(connection, ACCOUNT).reads_allowed == 10_000


def test_without_the_database_nothing_is_sent(account: Account) -> None:
    """A call that can't get a turn because the database is away does not go out; it is an outage."""
    away = Database("postgresql://nobody@127.0.0.1:1/none", timeout=0.3)
    api = StripeApi(KEY, account.url, pace=SharedPace(away, ACCOUNT, USUAL))
    with pytest.raises(DatabaseOutage):
        api.product(ProductId("prod_1"))
    with pytest.raises(DatabaseOutage):
        api.write_metadata(ProductId("prod_1"), {"stock": "1"}, "key")
    assert account.seen()["total"] == 0
    away.close()
