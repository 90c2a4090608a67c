from __future__ import annotations

from threading import Event

import pytest

from shared.database.pool import Database
from shared.paced_stripe import SharedPace
from shared.store import pace
from shared.stripe_api.answers import StripeFailed, StripeRefused, StripeUnavailable, WriteResult
from shared.stripe_api.pace import Limits
from tests.integration.stripe_api.conftest import ACCOUNT, USUAL, Account, MakeApi

PROBING = Limits(per_endpoint=20, overall=80, probe_seconds=1.5)


def test_fault_75_a_429_slows_every_process_and_is_tried_again(
    account: Account, make_api: MakeApi, database: Database
) -> None:
    """The read succeeds after the back-off; until then another process's call to that endpoint waits too."""
    shirt = account.product(stock="1")
    account.fault("rate_limit", method="GET", path="products", count=1)
    found = make_api().product(shirt)
    assert found is not None
    assert account.seen()["by_status"]["429"] == 1
    account.fault("rate_limit", method="POST", path="products", count=1)
    refused = make_api().write_metadata(shirt, {"stock": "2"}, "key")
    assert refused.result is WriteResult.NOT_NOW
    other = SharedPace(database, ACCOUNT, USUAL)
    assert other.take("POST products/id", write=True).wait > 0.5
    assert other.take("GET products/id", write=False).wait < 0.1


def test_fault_75_the_accounts_own_limit_slows_all_endpoints(
    account: Account, make_api: MakeApi, database: Database
) -> None:
    """A 429 because of the limit of all calls is a back-off for all calls."""
    shirt = account.product(stock="1")
    account.fault("rate_limit", method="POST", path="products", code="global-rate")
    make_api().write_metadata(shirt, {"stock": "2"}, "key")
    assert SharedPace(database, ACCOUNT, USUAL).take("GET events", write=False).wait > 0.5


def test_fault_75_retry_after_is_honoured(account: Account, make_api: MakeApi, database: Database) -> None:
    """Nobody calls before the time that Stripe named."""
    shirt = account.product(stock="1")
    account.fault("rate_limit", method="POST", headers={"Retry-After": "5"})
    make_api().write_metadata(shirt, {"stock": "2"}, "key")
    assert SharedPace(database, ACCOUNT, USUAL).take("POST products/id", write=True).wait > 4.5


def test_fault_75_a_read_gives_up_after_a_few_429s(account: Account, make_api: MakeApi) -> None:
    """Reads are tried three times, then the consumer pauses."""
    account.fault("rate_limit", method="GET", count=None)
    with pytest.raises(StripeUnavailable):
        make_api().product(account.product(stock="1"))
    assert account.seen()["by_status"]["429"] == 3


def test_fault_76_a_locked_object_slows_nobody_else(
    account: Account, make_api: MakeApi, database: Database
) -> None:
    """`lock_timeout` is about one product: it is read again, and the endpoint keeps its pace."""
    shirt = account.product(stock="1")
    account.fault("lock_timeout", method="GET")
    assert make_api().product(shirt) is not None
    account.fault("lock_timeout", method="POST", path="products")
    assert make_api().write_metadata(shirt, {"stock": "2"}, "key").result is WriteResult.NOT_NOW
    other = SharedPace(database, ACCOUNT, USUAL)
    for endpoint in ("GET products/id", "POST products/id"):
        turn = other.take(endpoint, write=False)
        assert turn.wait < 0.1
        assert not turn.slowed


def test_every_try_takes_a_turn_and_is_counted(
    account: Account, make_api: MakeApi, database: Database
) -> None:
    """A read that failed twice counts as three reads: nothing retries behind the pace's back."""
    shirt = account.product(stock="1")
    account.forget()
    account.fault("error_before", method="GET", count=2)
    make_api().product(shirt)
    make_api().write_metadata(shirt, {"stock": "2"}, "key")
    used = database.run(lambda connection: pace.usage(connection, ACCOUNT))
    assert (used.reads, used.writes) == (3, 1)
    assert account.seen()["total"] == 4


def test_a_read_that_keeps_failing_is_told_after_three_tries(account: Account, make_api: MakeApi) -> None:
    """Stripe's own errors are tried three times in all; then the message waits."""
    account.forget()
    account.fault("error_before", method="GET", count=None)
    with pytest.raises(StripeFailed):
        make_api().product(account.product(stock="1"))
    assert account.seen()["by_endpoint"]["GET /v1/products/{id}"] == 3


def test_fault_87_a_refused_key_stops_every_process_until_one_probe_succeeds(
    account: Account, make_api: MakeApi
) -> None:
    """After one 401 no process calls; after a while one of them tries, and with its success all go on."""
    shirt = account.product(stock="1")
    first, second = make_api(PROBING), make_api(PROBING)
    account.forget()
    account.fault("status", status=401, count=2)
    with pytest.raises(StripeRefused):
        first.product(shirt)
    for api in (first, second):
        with pytest.raises(StripeRefused):
            api.product(shirt)
        with pytest.raises(StripeRefused):
            api.write_metadata(shirt, {"stock": "2"}, "key")
    assert account.seen()["total"] == 1
    Event().wait(1.6)
    with pytest.raises(StripeRefused):  # the probe, refused again
        second.product(shirt)
    with pytest.raises(StripeRefused):
        first.product(shirt)
    assert account.seen()["total"] == 2
    Event().wait(1.6)
    assert first.product(shirt) is not None
    assert second.product(shirt) is not None
    assert second.write_metadata(shirt, {"stock": "2"}, "key").result is WriteResult.APPLIED


def test_fault_87_a_missing_permission_to_write_does_not_stop_reading(
    account: Account, make_api: MakeApi
) -> None:
    """After a 403 for writing products no process writes any more, and sessions can still be read."""
    shirt = account.product(stock="1")
    account.forget()
    account.fault("status", status=403, method="POST", path="products", count=None)
    assert make_api(PROBING).write_metadata(shirt, {}, "a").result is WriteResult.REFUSED
    with pytest.raises(StripeRefused):
        make_api(PROBING).write_metadata(shirt, {}, "b")
    assert make_api(PROBING).product(shirt) is not None
    assert account.seen()["by_endpoint"] == {"POST /v1/products/{id}": 1, "GET /v1/products/{id}": 1}


def test_nobody_waits_for_a_turn_once_the_process_is_to_stop(
    account: Account, make_api: MakeApi, database: Database
) -> None:
    """A call whose turn has not come is not sent after the stop: neither early nor late."""
    shirt = account.product(stock="1")
    SharedPace(database, ACCOUNT, USUAL).slow("GET products/id", 20)
    stop = Event()
    stop.set()
    account.forget()
    with pytest.raises(StripeUnavailable, match="stops"):
        make_api(stop=stop).product(shirt)
    assert account.seen()["total"] == 0
