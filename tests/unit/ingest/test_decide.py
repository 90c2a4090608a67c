from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.decide import Policy, decide
from services.ingest.outcome import Outcome, Turned
from services.ingest.strict_json import parse
from shared.messages import ProblemNoticed, SessionPaid, decode, encode
from shared.stripe_events import UNDERSTOOD, Surprising
from shared.vocabulary import AccountKey, AlertKind
from tests.support.anything import ANYTHING, EVENT_FIELDS
from tests.unit.ingest.support import event, raw

SELF = AccountKey("self:test")


@given(kind=st.sampled_from(sorted(UNDERSTOOD)), field=st.sampled_from(EVENT_FIELDS), value=ANYTHING)
def test_whatever_a_field_holds_the_decision_is_made_or_named_surprising(
    kind: str, field: str, value: object
) -> None:
    """No value of any field raises anything else, and every message survives the wire."""
    happened = event(kind, data={"object": {"id": "cs_1", "metadata": {}, "payment_status": "paid"}})
    try:
        decision = decide({**happened, field: value}, Policy(livemode=False))
    except Surprising:
        return
    for message in decision.messages:
        assert decode(encode(message)) == message


def test_fault_28_a_thin_event_is_ignored() -> None:
    """A v2 event carries no object, and none of ours is one."""
    thin = {"id": "evt_test_1", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found"}
    assert decide(thin, Policy(livemode=False)).outcome is Outcome.THIN_EVENT


def test_fault_35_an_event_of_the_other_mode_is_refused_and_people_are_told() -> None:
    """A live event at an endpoint for tests changes nothing, and one alert is due."""
    decision = decide(event(livemode=True), Policy(livemode=False))
    assert decision.outcome is Outcome.LIVEMODE_MISMATCH
    assert [told(message) for message in decision.messages] == [(SELF, AlertKind.LIVEMODE_MISMATCH)]


def test_fault_36_an_unknown_accounts_event_is_ignored_and_people_are_told() -> None:
    """A connected account that is not on the list is nobody's stock."""
    decision = decide(event(account="acct_2"), Policy(livemode=False, accounts=frozenset({"acct_1"})))
    assert decision.outcome is Outcome.UNKNOWN_ACCOUNT
    assert [told(message) for message in decision.messages] == [(SELF, AlertKind.UNKNOWN_ACCOUNT)]


def told(message: object) -> tuple[AccountKey, AlertKind]:
    assert isinstance(message, ProblemNoticed)
    return message.account, message.kind


def test_a_listed_accounts_event_is_booked_under_its_own_key() -> None:
    """Accounts never share a ledger."""
    decision = decide(event(account="acct_1"), Policy(livemode=False, accounts=frozenset({"acct_1"})))
    (message,) = decision.messages
    assert isinstance(message, SessionPaid)
    assert message.account == "acct_1:test"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000,
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\xe9"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\n"}',
    ],
)
def test_faults_4_17_18_what_is_no_strict_json_object_is_refused(body: bytes) -> None:
    """Signed or not, only a JSON object in UTF-8 goes on."""
    with pytest.raises(Turned) as turned:
        parse(body)
    assert turned.value.outcome is Outcome.NOT_JSON


def test_fault_20_a_byte_order_mark_and_escaped_surrogates_are_accepted() -> None:
    """What Stripe's SDK takes, we take."""
    assert parse(b'\xef\xbb\xbf{"a": "\\ud800\\u0000"}') == {"a": "\ud800\x00"}


@given(ANYTHING)
def test_every_json_object_is_read_as_it_was_written(value: object) -> None:
    """Strictness changes no value."""
    try:
        text = json.dumps({"a": value}, allow_nan=False)
    except ValueError:
        return
    assert parse(text.encode()) == {"a": value}


def test_a_whole_event_is_read(  # keeps the examples above honest
) -> None:
    """The example event is one that the door accepts."""
    assert decide(parse(raw(event())), Policy(livemode=False)).outcome is Outcome.ACCEPTED
