"""The shapes of payment intents, methods, charges, refunds and disputes."""

from __future__ import annotations

from services.stripe_simulator import ids, shapes
from services.stripe_simulator.params import Params, group, text
from services.stripe_simulator.world import Obj
from shared import clock

RESPONSE_SECONDS = 9 * 24 * 3600
"""How long the bank waits for the shop's answer to a dispute."""
SEPA_FAILS = "IT60X0542811101000000123456"
"""The test IBAN whose debits fail."""


def intent(amount: int, currency: str) -> Obj:
    """A payment intent nobody has paid yet."""
    identity = ids.new("pi")
    nothing = shapes.nulls(
        "application application_fee_amount automatic_payment_methods canceled_at"
        " cancellation_reason customer description last_payment_error latest_charge next_action"
        " on_behalf_of payment_method payment_method_configuration_details processing receipt_email"
        " review setup_future_usage shipping statement_descriptor statement_descriptor_suffix"
        " transfer_data transfer_group"
    )
    return nothing | {
        "id": identity,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic",
        "client_secret": f"{identity}_secret_{ids.new('x')[2:]}",
        "confirmation_method": "automatic",
        "created": clock.epoch(),
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def method(kind: str, params: Params) -> Obj:
    """A payment method; only what a test needs of its details."""
    details = {"card": card, "sepa_debit": lambda: sepa(text(group(params, "sepa_debit"), "iban"))}
    billing = group(params, "billing_details")
    return {
        "id": ids.new("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": _billing(billing),
        "created": clock.epoch(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
        kind: details[kind]() if kind in details else {},
    }


def _billing(params: Params) -> Obj:
    address = group(params, "address")
    return {
        "address": {
            n: text(address, n) for n in ("city", "country", "line1", "line2", "postal_code", "state")
        },
        **{name: text(params, name) for name in ("email", "name", "phone")},
        "tax_id": None,
    }


def card() -> Obj:
    """The details of the test card."""
    return {
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": "visa",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": "Xt5EWLLDS7FJjR1c",
        "funding": "credit",
        "generated_from": None,
        "last4": "4242",
        "networks": {"available": ["visa"], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def sepa(iban: str | None) -> Obj:
    """The details of a debit from a bank account; the fingerprint tells apart the account that fails."""
    return {
        "bank_code": None,
        "branch_code": "",
        "country": (iban or "DE")[:2],
        "fingerprint": "fails" if iban == SEPA_FAILS else "works",
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": (iban or "3000")[-4:],
    }


def charge(paid: Obj) -> Obj:
    """The charge that pays a payment intent."""
    nothing = shapes.nulls(
        "application application_fee application_fee_amount balance_transaction customer"
        " failure_code calculated_statement_descriptor failure_balance_transaction failure_message"
        " on_behalf_of receipt_email receipt_number receipt_url review shipping source_transfer"
        " statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
    )
    return nothing | {
        "id": ids.new("ch"),
        "object": "charge",
        "amount": paid["amount"],
        "amount_captured": paid["amount"],
        "amount_refunded": 0,
        "billing_details": _billing({}),
        "captured": True,
        "created": clock.epoch(),
        "currency": paid["currency"],
        "description": paid["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(paid["metadata"]),
        "outcome": None,
        "paid": True,
        "payment_intent": paid["id"],
        "payment_method": paid["payment_method"],
        "payment_method_details": None,
        "refunded": False,
        "status": "succeeded",
    }


def refund(refunded: Obj, amount: int) -> Obj:
    """A refund of `amount` of a charge."""
    nothing = shapes.nulls(
        "balance_transaction reason receipt_number source_transfer_reversal transfer_reversal"
    )
    return nothing | {
        "id": ids.new("re"),
        "object": "refund",
        "amount": amount,
        "charge": refunded["id"],
        "created": clock.epoch(),
        "currency": refunded["currency"],
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": {},
        "payment_intent": refunded["payment_intent"],
        "status": "succeeded",
    }


def dispute(disputed: Obj, amount: int, reason: str) -> Obj:
    """A dispute about `amount` of a charge, before its status is known."""
    now = clock.epoch()
    evidence = shapes.nulls(
        "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure"
        " cancellation_rebuttal customer_communication customer_email_address customer_name"
        " customer_purchase_ip customer_signature duplicate_charge_documentation"
        " duplicate_charge_explanation duplicate_charge_id product_description receipt refund_policy"
        " refund_policy_disclosure refund_refusal_explanation service_date service_documentation"
        " shipping_address shipping_carrier shipping_date shipping_documentation"
        " shipping_tracking_number uncategorized_file uncategorized_text"
    )
    return {
        "id": ids.new("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": disputed["id"],
        "created": now,
        "currency": disputed["currency"],
        "enhanced_eligibility_types": [],
        "evidence": evidence | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + RESPONSE_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "livemode": False,
        "metadata": {},
        "payment_intent": disputed["payment_intent"],
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "inquiry", "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": reason,
    }
