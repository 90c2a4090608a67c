from __future__ import annotations

import pytest

from shared import clock
from shared.messages import (
    MESSAGE_TYPES,
    AlertOpened,
    CheckupRequested,
    JobDue,
    Message,
    ProblemNoticed,
    ProductChanged,
    ProductCheckRequested,
    RefundChanged,
    ReportMade,
    SessionPaid,
    SyncRequested,
    UndecodableMessage,
    decode,
    encode,
)
from shared.vocabulary import AccountKey, AlertKind, EventId, ProductId, RefundId, SessionId

ACCOUNT = AccountKey("self:test")
EXAMPLES: tuple[Message, ...] = (
    SessionPaid(account=ACCOUNT, session=SessionId("cs_test_1"), at=clock.now()),
    ProductChanged(
        account=ACCOUNT,
        product=ProductId("prod_1"),
        event=EventId("evt_1"),
        change="updated",
        at=clock.now(),
        metadata={"stock": "é\u0000"},
        previous_metadata={"stock": None},
    ),
    SyncRequested(account=ACCOUNT, product=ProductId("prod_1")),
    ProductCheckRequested(account=ACCOUNT, product=ProductId("prod_1"), check="5f0c", look=2),
    CheckupRequested(account=ACCOUNT, event=EventId("evt_1"), at=clock.now()),
    RefundChanged(account=ACCOUNT, refund=RefundId("re_1"), event=EventId("evt_1"), at=clock.now()),
    AlertOpened(alert=7),
    ReportMade(report=7),
    ProblemNoticed(account=ACCOUNT, kind=AlertKind.LIVEMODE_MISMATCH, subject="x"),
    JobDue(job="snapshot", planned_at=clock.now()),
)


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message.type)
def test_every_message_survives_the_wire(message: Message) -> None:
    """What is decoded equals what was encoded."""
    assert decode(encode(message)) == message


def test_the_examples_are_all_there_is() -> None:
    """No message type is left out above."""
    assert {type(message) for message in EXAMPLES} == set(MESSAGE_TYPES)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"type": "unheard.of"}',
        b'{"type": "product.sync", "v": 2, "account": "a", "product": "p"}',
        b'{"type": "product.sync", "account": "a", "product": "p", "more": 1}',
        b'{"type": "session.paid", "account": "a", "session": "no id", "at": "2026-01-01T00:00:00Z"}',
        b'{"type": "session.paid", "account": "a", "session": "cs_1", "at": "2026-01-01T00:00:00"}',
    ],
)
def test_anything_else_is_undecodable(body: bytes) -> None:
    """Other versions, unknown fields, bad ids and naive times are refused."""
    with pytest.raises(UndecodableMessage):
        decode(body)


def test_the_error_never_quotes_the_content() -> None:
    """What was wrong is named by its field; the content may be somebody's data."""
    with pytest.raises(UndecodableMessage) as caught:
        decode(b'{"type": "session.paid", "account": "a", "session": "anna@example.com", "at": 1}')
    assert "anna" not in str(caught.value)
    assert "session" in str(caught.value)
