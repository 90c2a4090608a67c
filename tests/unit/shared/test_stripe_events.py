from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.messages import CheckupRequested, ProductChanged, RefundChanged, SessionPaid, decode, encode
from shared.stripe_events import UNDERSTOOD, Ignore, Surprising, recovered, translate
from shared.vocabulary import AccountKey, EventId, ProductId, RefundId, SessionId
from shared.webhook_events import CHECKUP, EVENT_TYPES
from tests.unit.ingest.support import event
from tests.unit.shared.happened import product, session

AT = datetime.fromtimestamp(1_790_000_000, UTC)
SELF = AccountKey("self:test")


@pytest.mark.parametrize("status", ["paid", "no_payment_required"])
@pytest.mark.parametrize("kind", ["completed", "async_payment_succeeded"])
def test_fault_26_a_paid_session_becomes_one_message(kind: str, status: str) -> None:
    """Both events that tell of a payment say the same: look at this session."""
    assert translate(session(f"checkout.session.{kind}", status)) == (
        SessionPaid(
            account=SELF,
            session=SessionId("cs_test_1"),
            event=EventId("evt_1"),
            event_type=f"checkout.session.{kind}",
            at=AT,
        ),
    )


def test_fault_32_a_completed_session_that_is_unpaid_waits_for_the_event_that_follows() -> None:
    """Delayed payment methods complete first and pay later."""
    assert translate(session("checkout.session.completed", "unpaid")) == Ignore("not paid yet")


def test_a_payment_that_succeeded_later_counts_whatever_the_snapshot_says() -> None:
    """The session itself is asked before anything is booked."""
    assert isinstance(translate(session("checkout.session.async_payment_succeeded", "unpaid")), tuple)


@pytest.mark.parametrize("kind", ["async_payment_failed", "expired"])
def test_fault_32_a_session_that_is_never_paid_asks_nothing(kind: str) -> None:
    """No stock was reserved, so none is freed."""
    assert translate(session(f"checkout.session.{kind}", "unpaid")) == Ignore("never paid")


@pytest.mark.parametrize("change", ["created", "updated", "deleted"])
def test_a_products_change_carries_metadata_before_and_after_and_who_did_it(change: str) -> None:
    """What the sync's digest needs is in the message: both states, and the key of the write."""
    happened = product(f"product.{change}", {"metadata": {"stock": "5", "new": None}})
    happened["request"] = {"id": "req_1", "idempotency_key": "key-1"}
    (message,) = expect_messages(happened)
    assert message == ProductChanged.model_validate(
        {
            "account": SELF,
            "product": ProductId("prod_1"),
            "event": "evt_1",
            "change": change,
            "at": AT,
            "idempotency_key": "key-1",
            "metadata": {"stock": "3"},
            "previous_metadata": {"stock": "5", "new": None},
        }
    )


def expect_messages(happened: dict[str, Any]) -> tuple[Any, ...]:
    result = translate(happened)
    assert isinstance(result, tuple)
    return result


@pytest.mark.parametrize("previous", [None, {}, {"name": "old"}, {"metadata": None}])
def test_a_change_of_something_else_has_no_previous_metadata(previous: object) -> None:
    """`previous_attributes` may be missing, or be about other attributes."""
    (message,) = expect_messages(product(previous=previous))
    assert message.previous_metadata == {}


@pytest.mark.parametrize("request_", [None, {}, {"id": None, "idempotency_key": None}])
def test_an_edit_in_the_dashboard_has_no_key(request_: object) -> None:
    """Without a request there is nobody but a person."""
    happened = product()
    happened["request"] = request_
    assert expect_messages(happened)[0].idempotency_key is None


def test_fault_20_what_cannot_be_stored_is_replaced() -> None:
    """NUL and lone surrogates neither break the encoding nor a database behind it, and stay non-canonical."""
    strange = product(metadata={"stock": "3\x00", "a\ud800": "\udfff"})
    (message,) = expect_messages(strange)
    assert message.metadata == {"stock": "3\ufffd", "a\ufffd": "\ufffd"}
    assert decode(encode(message)) == message


def test_no_personal_data_leaves() -> None:
    """A customer's name, address and mail stay out of the message."""
    happened = session("checkout.session.completed")
    happened["data"]["object"]["customer_details"] = {"name": "Ada", "email": "ada@example.com"}
    assert b"da" not in encode(expect_messages(happened)[0]).replace(b'"updated', b"")


def test_a_checkup_is_passed_on() -> None:
    """The doctor's own event asks for a line in the delivery log, whatever object it carries."""
    answer = translate(event(CHECKUP))
    assert isinstance(answer, tuple)
    (message,) = answer
    assert isinstance(message, CheckupRequested)
    assert (message.event, message.account) == ("evt_1", "self:test")


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "refund.failed"])
def test_a_refund_is_passed_on_by_its_id_alone(kind: str) -> None:
    """What a refund says of people and cards stays behind."""
    refund = {"id": "re_1", "object": "refund", "amount": 500, "receipt_number": "ada@example.com"}
    answer = translate(event(kind, data={"object": refund}))
    assert isinstance(answer, tuple)
    (message,) = answer
    assert isinstance(message, RefundChanged)
    assert (message.refund, message.event, message.account) == ("re_1", "evt_1", "self:test")


@pytest.mark.parametrize("what", ["created", "updated", "closed", "funds_withdrawn", "funds_reinstated"])
@pytest.mark.parametrize("dispute", ["dp_1Abc", "du_1Abc"])
def test_a_dispute_takes_the_way_of_a_refund(what: str, dispute: str) -> None:
    """The same message with the dispute's id; what the bank says of the buyer stays behind."""
    happened = event(
        f"charge.dispute.{what}",
        data={"object": {"id": dispute, "object": "dispute", "evidence": {"customer_name": "Ada"}}},
    )
    assert expect_messages(happened) == (
        RefundChanged(account=SELF, refund=RefundId(dispute), event=EventId("evt_1"), at=AT),
    )


def test_a_refund_without_an_id_is_surprising() -> None:
    """Stripe keeps the event until we understand it."""
    with pytest.raises(Surprising, match="id"):
        translate(event("refund.created", data={"object": {"id": "RE 1"}}))


def test_what_is_understood_is_what_an_endpoint_should_send() -> None:
    """The list that endpoints are compared with is exactly what is translated, the check-up's own apart."""
    assert frozenset({CHECKUP, *EVENT_TYPES}) == UNDERSTOOD


@pytest.mark.parametrize("kind", ["charge.refunded", "v2.core.health.event", "a"])
def test_fault_27_an_unknown_type_is_ignored(kind: str) -> None:
    """Types nobody subscribed to ask nothing, whatever they carry."""
    assert translate(event(kind, data=None, created="soon")) == Ignore("unknown type")


@pytest.mark.parametrize("field", ["id", "created", "livemode", "data"])
@pytest.mark.parametrize("value", [None, [], {}, "", "x" * 300, -1, 10**30, 1.5, "evt_\n", "evt_é"])
@pytest.mark.parametrize("kind", ["checkout.session.completed", "product.updated"])
def test_fault_27_a_subscribed_type_of_another_shape_is_surprising(
    kind: str, field: str, value: object
) -> None:
    """A missing or odd field is named, so that Stripe keeps the event until we understand it."""
    happened = product() if kind.startswith("product") else session(kind)
    happened[field] = value
    with pytest.raises(Surprising) as surprise:
        translate(happened)
    assert str(surprise.value) in {field, "object"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("object", "id"), "prod_1/../2"),
        (("object", "id"), 7),
        (("object", "metadata"), ["stock"]),
        (("object", "metadata", "stock"), 3),
        (("object", "metadata", "stock"), None),
        (("previous_attributes",), []),
        (("previous_attributes", "metadata"), "all"),
        (("previous_attributes", "metadata", "stock"), 5),
    ],
)
def test_fault_27_a_product_of_another_shape_is_surprising(path: tuple[str, ...], value: object) -> None:
    """Numbers where text is meant are not guessed at."""
    happened = product(previous={"metadata": {"stock": "5"}})
    place: Any = happened["data"]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(Surprising):
        translate(happened)


def test_faults_34_38_currency_and_age_do_not_matter() -> None:
    """An event of years ago in yen is a sale like any other."""
    happened = session("checkout.session.completed")
    happened["data"]["object"] |= {"currency": "jpy", "amount_total": 10**15}
    assert isinstance(translate({**happened, "created": 1}), tuple)


def test_translation_leaves_the_event_as_it_was() -> None:
    """The function is pure."""
    happened = product(previous={"metadata": {"stock": "5"}})
    before = copy.deepcopy(happened)
    translate(happened)
    assert happened == before


def test_what_is_recovered_is_told_as_by_a_webhook_and_says_why() -> None:
    """The same messages, marked, with the reason where there is room for one; ignored stays ignored."""
    sale, change = session("checkout.session.completed"), product()
    (paid,), (changed,) = expect_messages(sale), expect_messages(change)
    why = "its webhook was not delivered"
    assert recovered(sale, why) == (paid.model_copy(update={"origin": "recovery", "reason": why}),)
    assert recovered(change, why) == (changed.model_copy(update={"origin": "recovery"}),)
    assert recovered(session("checkout.session.expired"), why) == Ignore("never paid")
