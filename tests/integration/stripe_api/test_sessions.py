from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from shared.stripe_api.answers import StripeFailed, StripeRefused
from shared.stripe_api.client import StripeApi
from shared.stripe_api.governor import Governor
from shared.stripe_api.objects import CheckoutSession
from shared.stripe_api.pace import Limits
from shared.vocabulary import SessionId
from tests.integration.stripe_api.conftest import KEY, Account, MakeApi, just_now, line

BY_ID = "GET /v1/checkout/sessions/{id}"
LISTED = "GET /v1/checkout/sessions"
SLOW = Limits(per_endpoint=4, overall=16)
LIMIT = 10
INLINE: dict[str, Any] = {
    "price_data": {
        "currency": "eur",
        "unit_amount": 5,
        "product_data": {"name": "Gift", "metadata": {"a": "b"}},
    },
    "quantity": 2,
}


@pytest.fixture
def api(account: Account) -> StripeApi:
    """The account, at no pace."""
    return StripeApi(KEY, account.url)


def test_many_sessions_are_read_in_few_calls(account: Account, api: StripeApi) -> None:
    """Fifty sessions take one call for their page and one for their products."""
    shirt = account.product(sizes="M", stock_M="100")
    sessions = [account.sold(line(shirt, 2), INLINE) for _ in range(50)]
    account.forget()
    answers = api.checkout_sessions(just_now(*sessions))
    assert account.seen()["by_endpoint"] == {LISTED: 1, "GET /v1/products": 1}
    assert set(answers) == set(sessions)


def test_a_listed_session_is_the_same_as_one_read_by_id(account: Account, api: StripeApi) -> None:
    """List and single read agree in every field: long carts, inline products, deleted ones."""
    shirt, gone = account.product(sizes="M", stock_M="9"), account.product(stock="9")
    sessions = [
        account.sold(line(shirt, 3)),
        account.sold(line(shirt), INLINE),
        account.sold(*[line(shirt, n) for n in range(1, 13)]),
        account.sold(line(gone), line(shirt)),
        account.sold(INLINE),
    ]
    account.delete(gone)
    account.forget()
    answers = api.checkout_sessions(just_now(*sessions))
    assert BY_ID not in account.seen()["by_endpoint"]
    assert answers == {session: api.checkout_session(session) for session in sessions}
    carts = [len(answer.lines) for answer in answers.values() if isinstance(answer, CheckoutSession)]
    assert sorted(carts) == [1, 1, 2, 2, 12]


def test_what_a_list_shows_as_unpaid_is_read_again(account: Account, api: StripeApi) -> None:
    """Completed but unpaid, open and unknown sessions are answered by their id, not by a list that may lag."""
    shirt = account.product(stock="100")
    paid = [account.sold(line(shirt)) for _ in range(4)]
    unpaid, opened = account.sold(line(shirt), outcome="unpaid"), account.opened(line(shirt))
    unknown = SessionId("cs_test_unknown")
    account.forget()
    answers = api.checkout_sessions(just_now(*paid, unpaid, opened, unknown))
    assert account.seen()["by_endpoint"][BY_ID] == 3
    assert answers[unknown] is None
    states = {s: a.paid for s, a in answers.items() if isinstance(a, CheckoutSession)}
    assert states == {**dict.fromkeys(paid, True), unpaid: False, opened: False}


def test_sessions_that_a_list_does_not_show_are_read_by_id(account: Account, api: StripeApi) -> None:
    """Where the event's time leads to a page without them, each session is read by itself."""
    shirt = account.product(stock="100")
    sessions = [account.sold(line(shirt)) for _ in range(5)]
    account.forget()
    long_ago = {session: at - timedelta(days=3) for session, at in just_now(*sessions).items()}
    answers = api.checkout_sessions(long_ago)
    assert account.seen()["by_endpoint"] == {LISTED: 1, BY_ID: 5}
    assert all(isinstance(answer, CheckoutSession) for answer in answers.values())


def test_a_few_sessions_are_not_worth_a_list(account: Account, api: StripeApi) -> None:
    """Up to three sessions are read by id."""
    shirt = account.product(stock="100")
    sessions = [account.sold(line(shirt)) for _ in range(3)]
    account.forget()
    api.checkout_sessions(just_now(*sessions))
    assert account.seen()["by_endpoint"] == {BY_ID: 3}


def test_more_sessions_than_a_page_holds_take_more_pages(account: Account, api: StripeApi) -> None:
    """Pages are asked for as long as they hold what is wanted."""
    shirt = account.product(stock="900")
    sessions = [account.sold(line(shirt)) for _ in range(110)]
    account.forget()
    answers = api.checkout_sessions(just_now(*sessions))
    assert account.seen()["by_endpoint"] == {LISTED: 2, "GET /v1/products": 1}
    assert all(isinstance(answer, CheckoutSession) for answer in answers.values())


@pytest.mark.parametrize("path", ["sessions$", "products$"])
def test_a_list_that_fails_costs_calls_but_no_session(account: Account, api: StripeApi, path: str) -> None:
    """Where a list can't be had the sessions are read one by one."""
    shirt = account.product(stock="100")
    sessions = [account.sold(line(shirt)) for _ in range(4)]
    account.fault("status", method="GET", path=path, status=500, count=3)
    answers = api.checkout_sessions(just_now(*sessions))
    assert all(isinstance(answer, CheckoutSession) for answer in answers.values())


def test_fault_41_one_session_that_cannot_be_read_spoils_no_other(account: Account, api: StripeApi) -> None:
    """The answer for that session is the error; the others are read."""
    shirt = account.product(stock="100")
    sessions = [account.sold(line(shirt)) for _ in range(3)]
    account.fault("status", method="GET", path=sessions[1], status=503, count=None)
    answers = api.checkout_sessions(just_now(*sessions))
    assert isinstance(answers[sessions[1]], StripeFailed)
    assert isinstance(answers[sessions[0]], CheckoutSession)


def test_fault_87_a_refused_list_is_an_outage(account: Account, api: StripeApi) -> None:
    """A refused key is nothing to work around."""
    shirt = account.product(stock="100")
    sessions = [account.sold(line(shirt)) for _ in range(4)]
    account.fault("status", method="GET", path="sessions$", status=401)
    with pytest.raises(StripeRefused):
        api.checkout_sessions(just_now(*sessions))


def test_two_processes_that_read_by_id_stay_below_stripes_limits(account: Account, make_api: MakeApi) -> None:
    """Against an account that answers 429 above a limit, two greedy processes that share a pace never see one.

    The pace is a fifth of the usual one, so that a machine that halts for a moment does not bunch up calls. Four at
    once and four a second are eight in the busiest second; without sharing it they would be sixteen.
    """
    shirt = account.product(stock="100")
    sessions = [account.sold(line(shirt)) for _ in range(12)]
    long_ago = {session: at - timedelta(days=3) for session, at in just_now(*sessions).items()}
    account.forget()
    account.control("/_limits", {"per_endpoint": LIMIT})
    with ThreadPoolExecutor(2) as processes:
        asked = [processes.submit(make_api(SLOW).checkout_sessions, long_ago) for _ in range(2)]
    both = [one.result() for one in asked]
    assert all(isinstance(answer, CheckoutSession) for answers in both for answer in answers.values())
    assert account.seen()["by_status"] == {"200": 26}
    assert account.seen()["peaks"][BY_ID] <= LIMIT


def test_without_a_shared_pace_the_same_processes_are_told_to_slow_down(account: Account) -> None:
    """The negative control: two processes that each know only themselves run into 429s."""
    shirt = account.product(stock="100")
    sessions = [account.sold(line(shirt)) for _ in range(12)]
    long_ago = {session: at - timedelta(days=3) for session, at in just_now(*sessions).items()}
    account.forget()
    account.control("/_limits", {"per_endpoint": LIMIT})
    with ThreadPoolExecutor(2) as processes:
        for _ in range(2):
            api = StripeApi(KEY, account.url, pace=Governor(SLOW))
            processes.submit(api.checkout_sessions, long_ago)
    assert account.seen()["by_status"]["429"] > 0


def test_paid_sessions_are_listed_page_by_page(account: Account, api: StripeApi) -> None:
    """All sessions that were paid since a time come newest first, a call for each page; unpaid ones do not."""
    shirt = account.product(stock="900")
    sold = [account.sold(line(shirt)) for _ in range(105)]
    account.forget()
    at = next(iter(just_now(*sold).values()))
    listed = list(api.paid_sessions(at - timedelta(hours=1)))
    assert {session for session, _ in listed} == set(sold)
    assert all(abs(made - at) < timedelta(minutes=5) for _, made in listed)
    assert account.seen()["by_endpoint"] == {LISTED: 2}
    assert list(api.paid_sessions(at + timedelta(hours=1))) == []
