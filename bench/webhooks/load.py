"""The load: signed checkout.session.completed events of about 3.8 KB, thrown at a server by wrk."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import stripe

from shared import clock

SECRET: Final = "whsec_" + "0123456789abcdef" * 2
CONNECTIONS: Final = 32
_EVENTS: Final = 256
_LUA: Final = """
local n = 0
local requests = {}
init = function()
  for i = 1, #bodies do
    local headers = {["Content-Type"] = "application/json", ["Stripe-Signature"] = signatures[i]}
    requests[i] = wrk.format("POST", "%s", headers, bodies[i])
  end
end
request = function()
  n = n %% #requests + 1
  return requests[n]
end
done = function(summary)
  io.write(string.format("duration_us=%%d requests=%%d non2xx=%%d connect=%%d read=%%d write=%%d timeout=%%d\\n",
    summary.duration, summary.requests, summary.errors.status, summary.errors.connect, summary.errors.read,
    summary.errors.write, summary.errors.timeout))
end
"""
_RESULT: Final = re.compile(r"(\w+)=(\d+)")


@dataclass(frozen=True, slots=True)
class Run:
    """One round: answers of 200 in `seconds`, and everything else."""

    accepted: int
    failed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Accepted webhooks per second."""
        return self.accepted / self.seconds


def require() -> None:
    """Return if wrk is here, installed now where we are root on a Debian; raises SystemExit with what to do."""
    said, apt = "", shutil.which("apt-get")
    if shutil.which("wrk") is None and os.geteuid() == 0 and apt:
        said = subprocess.run(
            [apt, "install", "-y", "-qq", "wrk"], check=False, capture_output=True, text=True
        ).stderr
    if shutil.which("wrk") is None:
        raise SystemExit(f"the bench needs wrk: apt-get install wrk\n{said}".rstrip())


def throw(port: int, path: str, seconds: int, folder: Path) -> Run:
    """Load the server on `port` for `seconds`, with signatures made just now."""
    script = folder / "load.lua"
    script.write_text(_script(path))
    wrk = shutil.which("wrk") or "wrk"
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    found = {name: int(value) for name, value in _RESULT.findall(done.stdout)}
    failed = found["non2xx"] + found["connect"] + found["read"] + found["write"] + found["timeout"]
    return Run(found["requests"] - found["non2xx"], failed, found["duration_us"] / 1e6)


def _script(path: str) -> str:
    now = clock.epoch()
    events = [json.dumps(event(number), indent=2) for number in range(_EVENTS)]
    sign = stripe.WebhookSignature.generate_signature_header  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - partly untyped
    signatures = [sign(body, SECRET, timestamp=now) for body in events]
    tables = f"local bodies = {{{_strings(events)}}}\nlocal signatures = {{{_strings(signatures)}}}\n"
    return tables + _LUA % path


def _strings(texts: list[str]) -> str:
    return ",\n".join(f"[=[{text}]=]" for text in texts)


def event(number: int) -> dict[str, Any]:
    """A completed, paid session as Stripe sends it, nulls and all."""
    nulls = [
        "after_expiration",
        "allow_promotion_codes",
        "client_reference_id",
        "client_secret",
        "collected_information",
        "consent",
        "consent_collection",
        "currency_conversion",
        "customer",
        "customer_account",
        "customer_email",
        "discounts",
        "excluded_items",
        "invoice",
        "locale",
        "name_collection",
        "optional_items",
        "origin_context",
        "payment_link",
        "payment_method_configuration_details",
        "permissions",
        "phone_number_collection_status",
        "presentment_details",
        "recovered_from",
        "saved_payment_method_options",
        "setup_intent",
        "shipping_cost",
        "shipping_details",
        "submit_type",
        "subscription",
        "tax_id_collection_status",
        "ui_mode_details",
        "url",
        "wallet_options",
    ]
    session: dict[str, Any] = {
        "id": f"cs_test_a1{number:08d}bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV",
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": True},
        "amount_subtotal": 7000,
        "amount_total": 7000,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "branding_settings": {
            "background_color": "#ffffff",
            "border_style": "rounded",
            "button_color": "#0074d4",
            "display_name": "A shop",
            "font_family": "default",
            "icon": None,
            "logo": None,
        },
        "cancel_url": "https://shop.example/cart",
        "created": 1_790_000_000 + number,
        "currency": "eur",
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None, "terms": None},
        "customer_creation": "if_required",
        "customer_details": {
            "address": {"city": "Berlin", "country": "DE", "line1": "Weg 1", "line2": None, "state": None},
            "email": "shopper@shop.example",
            "name": "A Shopper",
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "expires_at": 1_790_086_400 + number,
        "invoice_creation": {
            "enabled": False,
            "invoice_data": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": None,
                "metadata": {},
                "rendering_options": None,
            },
        },
        "livemode": False,
        "metadata": {
            key: value
            for line in range(1, 4)
            for key, value in (
                (f"item_{line}_product_id", f"prod_T{number:06d}{line}abcdef"),
                (f"item_{line}_size", "M"),
                (f"item_{line}_quantity", "1"),
            )
        },
        "mode": "payment",
        "payment_intent": f"pi_3S{number:08d}abcdefghijkl",
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card", "link", "klarna"],
        "payment_status": "paid",
        "shipping_address_collection": {"allowed_countries": ["AT", "BE", "DE", "FR", "NL"]},
        "shipping_options": [],
        "status": "complete",
        "success_url": "https://shop.example/thanks?session_id={CHECKOUT_SESSION_ID}",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
        **dict.fromkeys(nulls),
    }
    return {
        "id": f"evt_1S{number:08d}abcdefghijklmn",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_790_000_001 + number,
        "data": {"object": session},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "checkout.session.completed",
    }
