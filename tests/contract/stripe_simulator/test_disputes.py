from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from stripe import InvalidRequestError, StripeClient

from services.stripe_simulator.settings import SUBSCRIBED
from services.stripe_simulator.simulator import Simulator
from shared.webhook_events import EVENT_TYPES
from tests.contract.stripe_simulator.conftest import Receiver
from tests.support.waiting import until

Control = Callable[..., Any]


@pytest.fixture
def paid(stripe_client: StripeClient) -> str:
    """A payment of ten euros."""
    return stripe_client.v1.payment_intents.create(
        {"amount": 1000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    ).id


def told(receiver: Receiver) -> list[str]:
    """The webhooks of disputes, without their common beginning, in no order."""
    common = "charge.dispute."
    return sorted(kind.removeprefix(common) for kind in receiver.kinds() if kind.startswith(common))


@pytest.mark.parametrize(
    ("moves", "kinds"),
    [
        (("needs_response",), ["created", "funds_withdrawn"]),
        (
            ("needs_response", "under_review", "won"),
            ["closed", "created", "funds_reinstated", "funds_withdrawn", "updated"],
        ),
        (("needs_response", "lost"), ["closed", "created", "funds_withdrawn"]),
        (("warning_needs_response", "warning_closed"), ["closed", "created"]),
        (("warning_needs_response", "needs_response"), ["created", "funds_withdrawn", "updated"]),
    ],
)
def test_a_dispute_tells_what_stripe_tells(
    stripe_client: StripeClient,
    paid: str,
    control: Control,
    *,
    receiver: Receiver,
    moves: tuple[str, ...],
    kinds: list[str],
) -> None:
    """Opening, answering and closing are events, and so is money that leaves or comes back; inquiries take none."""
    opened = control("POST", "/_disputes", payment_intent=paid, status=moves[0])
    for status in moves[1:]:
        control("POST", f"/_disputes/{opened['id']}", status=status)
    read = stripe_client.v1.disputes.retrieve(opened["id"], {"expand": ["charge"]}).to_dict()
    assert (read["amount"], read["status"], read["charge"]["disputed"]) == (1000, moves[-1], True)
    until("the webhooks", lambda: told(receiver) == kinds)


def test_disputes_are_listed_by_payment_and_page(
    stripe_client: StripeClient, paid: str, control: Control
) -> None:
    """The newest first, only those of the payment, page by page."""
    other = stripe_client.v1.payment_intents.create({"amount": 1000, "currency": "eur", "confirm": True}).id
    mine = [control("POST", "/_disputes", payment_intent=paid, amount=100)["id"] for _ in range(3)]
    control("POST", "/_disputes", payment_intent=other)
    listed = stripe_client.v1.disputes.list({"payment_intent": paid, "limit": 2})
    assert (len(listed.data), listed.has_more) == (2, True)
    assert [one.id for one in listed.auto_paging_iter()] == mine[::-1]


def test_a_session_is_disputed_by_its_payment(stripe_client: StripeClient, control: Control) -> None:
    """A bank may be told the session; what was refunded before is not disputed by default."""
    shirt = stripe_client.v1.products.create({"name": "Shirt"}).id
    [session] = control("POST", "/_checkout/paid", product=shirt, quantity=1)["sessions"]
    paid = stripe_client.v1.checkout.sessions.retrieve(session).payment_intent
    stripe_client.v1.refunds.create({"payment_intent": str(paid), "amount": 900})
    opened = control("POST", "/_disputes", session=session, reason="product_not_received")
    assert (opened["payment_intent"], opened["reason"]) == (paid, "product_not_received")
    assert opened["amount"] == 4900 - 900


def test_what_a_bank_took_back_is_not_refunded_as_well(
    stripe_client: StripeClient, paid: str, control: Control
) -> None:
    """The rest is, and all of it once the bank gave it back."""
    refunds = stripe_client.v1.refunds
    dispute = control("POST", "/_disputes", payment_intent=paid, amount=400)
    with pytest.raises(InvalidRequestError, match=r"greater than unrefunded amount on charge \(600\)"):
        refunds.create({"payment_intent": paid, "amount": 601})
    assert refunds.create({"payment_intent": paid}).amount == 600
    with pytest.raises(InvalidRequestError) as refused:
        refunds.create({"payment_intent": paid})
    assert refused.value.code == "charge_disputed"
    control("POST", f"/_disputes/{dispute['id']}", status="won")
    assert refunds.create({"payment_intent": paid}).amount == 400


def test_a_dispute_needs_a_charge_and_is_closed_once(
    simulator: Simulator, stripe_client: StripeClient, paid: str, control: Control
) -> None:
    """What a bank can't do is refused with the reason."""

    def refusal(path: str, **body: object) -> str:
        answer = requests.post(simulator.url + path, json=body, timeout=10)
        assert not answer.ok
        return str(answer.json()["error"]["message"])

    unpaid = stripe_client.v1.payment_intents.create({"amount": 1000, "currency": "eur"}).id
    assert "does not have a successful charge" in refusal("/_disputes", payment_intent=unpaid)
    assert "No such payment_intent" in refusal("/_disputes", payment_intent="pi_none")
    assert "payment_intent" in refusal("/_disputes")
    lost = control("POST", "/_disputes", payment_intent=paid, status="lost")
    assert "already closed: lost" in refusal(f"/_disputes/{lost['id']}", status="won")


def test_the_simulators_own_endpoint_hears_what_is_understood() -> None:
    """Whoever starts the pipeline on the simulator is told of all that the pipeline understands."""
    assert set(SUBSCRIBED) >= EVENT_TYPES
