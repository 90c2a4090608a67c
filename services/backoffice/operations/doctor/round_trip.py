"""One signed, made-up event from the webhook door to the delivery log, and how long it took."""

from __future__ import annotations

import hmac
import json
import secrets
from threading import Event
from typing import Final

import requests

from services.backoffice.operations.doctor import judge_check_up
from services.backoffice.operations.doctor.context import Context
from services.backoffice.operations.doctor.finding import Opinion, failed, ok
from shared import clock
from shared.store import checkups
from shared.vocabulary import EventId
from shared.webhook_events import CHECKUP, PATH

ARRIVES_WITHIN: Final = 15.0  # seconds
ANSWERS_WITHIN: Final = 10.0  # seconds
LOOK_EVERY: Final = 0.05  # seconds


def drive(context: Context) -> Opinion:
    """Post a check-up to ingest and wait for the stock worker's line; it touches no stock and no product."""
    try:
        secret = context.secret
    except (OSError, ValueError) as error:
        return failed(f"STOCKSYNC_HOME: {error}")
    reason = judge_check_up.not_sent(live=context.settings.livemode, secret=secret is not None)
    if reason is not None or secret is None:
        return reason or failed("no secret")
    if context.ingest.endswith(":0"):
        return failed("INGEST_BIND takes a free port, so say where ingest is: `--ingest http://HOST:PORT`")
    event = EventId(f"evt_stocksyncdoctor{secrets.token_hex(8)}")
    body = made_up(event, clock.epoch())
    begun = clock.monotonic()
    try:
        status = requests.post(
            context.ingest + PATH,
            data=body,
            headers={"Stripe-Signature": signature(secret, body, clock.epoch())},
            timeout=ANSWERS_WITHIN,
            allow_redirects=False,
        ).status_code
    except requests.RequestException:
        return failed(
            f"nothing answers at {context.ingest} (INGEST_BIND): start it with `stocksync up`, or "
            "`python -m services.ingest`; if it is elsewhere, say where: `--ingest http://HOST:PORT`"
        )
    return judge_check_up.delivery(status, context.ingest) or _arrived(context, event, begun)


def made_up(event: EventId, now: int) -> bytes:
    """The check-up as JSON; `now` in seconds since 1970."""
    told = {
        "id": event,
        "object": "event",
        "type": CHECKUP,
        "created": now,
        "livemode": False,
        "data": {"object": {"object": "checkup"}},
    }
    return json.dumps(told).encode()


def signature(secret: str, body: bytes, now: int) -> str:
    """The header Stripe-Signature for `body`."""
    return f"t={now},v1={hmac.digest(secret.encode(), b'%d.%b' % (now, body), 'sha256').hex()}"


def _arrived(context: Context, event: EventId, begun: float) -> Opinion:
    while clock.monotonic() - begun < ARRIVES_WITHIN:
        with context.database.transaction() as connection:
            if checkups.handled(connection, context.account, event):
                took = (clock.monotonic() - begun) * 1000
                return ok(
                    f"a signed event reached the delivery log through ingest, queue and worker in {took:.0f} ms"
                )
        Event().wait(LOOK_EVERY)
    return failed(
        f"ingest took a signed event, but no stock worker handled it within {ARRIVES_WITHIN:.0f} s: start one "
        "(`stocksync up`, or `python -m services.stock_worker`), or see its log"
    )
