from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.backoffice.operations.doctor import judge, judge_check_up
from services.backoffice.operations.doctor.finding import Opinion, Verdict
from services.backoffice.operations.doctor.round_trip import made_up, signature
from shared.marker import stamp
from shared.vocabulary import EventId, ProductId
from shared.webhook_events import EVENT_TYPES

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
URL = "https://shop.example/webhooks/stripe"
SHIRT, MUG = ProductId("prod_shirt"), ProductId("prod_mug")
OK, WARNING, FAILED = Verdict.OK, Verdict.WARNING, Verdict.FAILED


@pytest.mark.parametrize(
    ("seconds", "verdict", "word"),
    [(0, OK, ""), (-60, OK, ""), (61, WARNING, "ahead"), (-240, WARNING, "behind"), (-241, FAILED, "behind")],
)
def test_fault_110_the_clock_is_judged_before_webhooks_are_refused(
    seconds: int, verdict: Verdict, word: str
) -> None:
    """A minute off is a warning, four minutes a failure, and the sentence says in which direction."""
    opinion = judge.clocks(NOW + timedelta(seconds=seconds), NOW)
    assert opinion.verdict is verdict
    assert word in opinion.text


def test_an_answer_without_a_date_says_nothing_of_the_clock() -> None:
    """Without a Date header nothing is claimed."""
    assert judge.clocks(NOW, None).verdict is WARNING


@pytest.mark.parametrize(
    ("complaints", "key", "verdict", "word"),
    [
        ([], None, OK, "simulator"),
        (["MAIL_TO: must be set"], None, FAILED, "MAIL_TO"),
        ([], judge.Key(), OK, "test key"),
        ([], judge.Key(live=True), OK, "live key"),
        ([], judge.Key(live=True, base="http://127.0.0.1:1"), FAILED, "STRIPE_API_BASE"),
        ([], judge.Key(live=True, simulators_secret=True), FAILED, "STRIPE_WEBHOOK_SECRET"),
        ([], judge.Key(live=True, restricted=False), WARNING, "restricted"),
        ([], judge.Key(secret=False), WARNING, "STRIPE_WEBHOOK_SECRET"),
        ([], judge.Key(restricted=False, base="http://127.0.0.1:1"), OK, "test key"),
    ],
)
def test_fault_112_settings_that_contradict_each_other_are_named(
    complaints: list[str], key: judge.Key | None, verdict: Verdict, word: str
) -> None:
    """A live key beside something made for tests fails, and the setting to change is named."""
    opinion = judge.settings(complaints, key)
    assert opinion.verdict is verdict
    assert word in opinion.text


@pytest.mark.parametrize(("version", "verdict"), [(140_011, FAILED), (150_000, OK), (180_006, OK)])
def test_postgres_must_be_15_or_newer(version: int, verdict: Verdict) -> None:
    """An older server is a failure that names both versions."""
    assert judge.server(version).verdict is verdict
    assert str(version // 10_000) in judge.server(version).text


@pytest.mark.parametrize(
    ("changed", "verdict", "word"),
    [
        ({}, OK, "may do all"),
        ({"Products: write": 403}, FAILED, "Products: write"),
        ({"Events: read": 403, "Prices: read": 403}, FAILED, "Prices: read, Events: read"),
        ({"Events: read": 401}, FAILED, "rolled"),
        ({"Events: read": 500}, WARNING, "Events: read (500)"),
    ],
)
def test_fault_87_what_the_key_lacks_is_named(changed: dict[str, int], verdict: Verdict, word: str) -> None:
    """403 names the permission to give, 401 the key to replace; 404 to a write means it may be done."""
    statuses = {"Products: write": 404, "Prices: read": 200, "Events: read": 200}
    opinion = judge.permissions({**statuses, **changed}, live=False)
    assert opinion.verdict is verdict
    assert word in opinion.text


def _endpoint(
    *, enabled: bool = True, live: bool = False, lacks: str = "", every: bool = False
) -> judge.Endpoint:
    return judge.Endpoint(URL, enabled, live, frozenset({"*"}) if every else EVENT_TYPES - {lacks}, None)


@pytest.mark.parametrize(
    ("endpoints", "must_be", "verdict", "word"),
    [
        ([_endpoint()], True, OK, f"all {len(EVENT_TYPES)}"),
        ([_endpoint(every=True)], True, OK, f"all {len(EVENT_TYPES)}"),
        ([_endpoint(lacks="product.updated")], True, FAILED, "product.updated"),
        ([_endpoint(lacks="product.updated"), _endpoint()], True, WARNING, "more than once"),
        ([_endpoint(enabled=False)], False, FAILED, "disabled"),
        ([_endpoint(live=True)], True, FAILED, "test mode"),
        ([], True, FAILED, "add it"),
        ([], False, WARNING, "stripe listen"),
    ],
)
def test_the_endpoint_must_hear_what_is_understood(
    endpoints: list[judge.Endpoint], *, must_be: bool, verdict: Verdict, word: str
) -> None:
    """An endpoint of the key's mode, enabled, with every event type; what is missing is named."""
    opinion = judge.endpoints(endpoints, EVENT_TYPES, live=False, must_be=must_be)
    assert opinion.verdict is verdict
    assert word in opinion.text


def test_fault_113_another_installations_mark_is_a_failure() -> None:
    """Both installations and the product are named; our own mark, and that of our former ids, is fine."""
    ours, theirs = str(stamp("ours", 3, SHIRT, {})), str(stamp("theirs", 9, MUG, {}))
    assert judge.markers({SHIRT: ours}, ["ours", "before"], {}).verdict is OK
    before = str(stamp("before", 2, SHIRT, {}))
    assert judge.markers({SHIRT: before}, ["ours", "before"], {}).verdict is OK
    opinion = judge.markers({SHIRT: ours, MUG: theirs}, ["ours", "before"], {})
    assert opinion.verdict is FAILED
    assert all(word in opinion.text for word in ("ours", "theirs", MUG))
    assert SHIRT not in opinion.text


def test_fault_113_what_is_not_in_quarantine_is_looked_at_before_it_is_taken_over() -> None:
    """A takeover takes only what is in quarantine: where some is not, the step before is named, else not."""
    theirs = {one: str(stamp("theirs", 9, one, {})) for one in (SHIRT, MUG)}
    some = judge.markers(theirs, ["ours"], {SHIRT: "kept elsewhere"}).text
    assert some.index("`stocksync jobs run verify`") < some.index("`stocksync takeover`")
    every = judge.markers(theirs, ["ours"], dict.fromkeys(theirs, "kept elsewhere")).text
    assert "jobs run verify" not in every
    assert "`stocksync takeover`" in every


def test_fault_92_quarantine_and_garbled_marks_are_warnings() -> None:
    """A product that is not written to is named with its reason, a mark typed by hand with its product."""
    assert "copied" in judge.markers({}, ["ours", "before"], {SHIRT: "its mark was copied", MUG: ""}).text
    assert judge.markers({}, ["ours", "before"], {SHIRT: ""}).verdict is WARNING
    assert MUG in judge.markers({MUG: "by hand"}, ["ours", "before"], {}).text


@pytest.mark.parametrize(
    ("ready", "dead", "verdict", "word"),
    [
        (0, 0, OK, "0 messages"),
        (1, 0, OK, "1 message "),
        (1001, 0, WARNING, "1001 in sales"),
        (0, 2, WARNING, "2 in sales"),
    ],
)
def test_parked_messages_and_long_queues_are_warnings(
    ready: int, dead: int, verdict: Verdict, word: str
) -> None:
    """The queue and the number are named."""
    opinion = judge.queues({"sales": ready}, {"sales": dead})
    assert opinion.verdict is verdict
    assert word in opinion.text


@pytest.mark.parametrize(
    ("unsynced", "unanswered", "verdict", "word"),
    [
        ((0, 0.0), (0, 0.0), OK, ""),
        ((2, 420.0), (0, 0.0), WARNING, "2 products waiting for a new number for up to 7 min"),
        ((2, 420.0), (1, 86_400.0), WARNING, "1 write to Stripe not settled for up to 24 h"),
    ],
)
def test_what_waits_too_long_is_a_warning(
    unsynced: tuple[int, float], unanswered: tuple[int, float], verdict: Verdict, word: str
) -> None:
    """Numbers and ages are told, the more serious first."""
    opinion = judge.backlog(unsynced, unanswered)
    assert opinion.verdict is verdict
    assert word in opinion.text


def test_fault_99_refused_mails_are_told_before_late_ones() -> None:
    """What will never go out by itself comes first."""
    assert "refused 1 alert " in judge.alerts(5, 1, mails_are_files=False).text
    assert "5 alerts" in judge.alerts(5, 0, mails_are_files=False).text
    assert judge.alerts(0, 0, mails_are_files=True).verdict is OK


@pytest.mark.parametrize(
    ("status", "word"), [(400, "STRIPE_WEBHOOK_SECRET"), (503, "queue"), (404, "INGEST_BIND")]
)
def test_what_ingest_answers_is_explained(status: int, word: str) -> None:
    """Every answer but 200 fails and names where to look."""
    opinion = judge_check_up.delivery(status, "http://127.0.0.1:8000")
    assert opinion is not None
    assert opinion.verdict is FAILED
    assert word in opinion.text
    assert judge_check_up.delivery(200, "") is None


def test_nothing_made_up_is_sent_in_live_mode() -> None:
    """A live key, or no secret to sign with, skips the round trip."""
    refused = [
        judge_check_up.not_sent(live=True, secret=True),
        judge_check_up.not_sent(live=False, secret=False),
    ]
    assert all(isinstance(one, Opinion) and one.verdict is Verdict.SKIPPED for one in refused)
    assert judge_check_up.not_sent(live=False, secret=True) is None


def test_the_made_up_event_is_signed_as_stripe_signs() -> None:
    """Another signature, or another second, is another header."""
    body = made_up(EventId("evt_1"), 7)
    assert signature("whsec_a", body, 7).startswith("t=7,v1=")
    assert (
        len({signature("whsec_a", body, 7), signature("whsec_b", body, 7), signature("whsec_a", body, 8)})
        == 3
    )
