"""The checks in their order: each asks one thing and hands what it saw to `judge`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from services.backoffice.operations.doctor import judge, round_trip, services_settings
from services.backoffice.operations.doctor.context import Context
from services.backoffice.operations.doctor.finding import SETTINGS, Opinion, failed, ok, skipped, warning
from services.backoffice.settings import MachineSettings
from shared.broker.port import BrokerDown
from shared.database import connect, migrate
from shared.database.errors import DatabaseOutage
from shared.stock_metadata import MARKER_KEY
from shared.store import checkups, installations, pace, repairs
from shared.stripe_api.answers import StripeUnavailable
from shared.stripe_api.objects import part
from shared.topology import PIPELINE
from shared.vocabulary import ProductId
from shared.webhook_events import EVENT_TYPES, PATH

SYNC_SECONDS: Final = 5 * 60.0
WRITE_SECONDS: Final = 10 * 60.0
MAIL_SECONDS: Final = 20 * 60.0  # the notifier may pause for 15 minutes
ALLOWANCE: Final = 0.8
"""How much of the allowance may be used before it is worth a warning."""
PAGE: Final = 100
PAGES: Final = 10  # of products whose markers are looked at
STRIPE, DATABASE, SCHEMA, QUEUE = "Stripe", "database", "schema", "queue"


@dataclass(frozen=True, slots=True)
class Check:
    """One check, and the checks without which it has nothing to look at."""

    name: str
    ask: Callable[[Context], Opinion]
    needs: tuple[str, ...] = ()


def checks(settings: MachineSettings) -> tuple[Check, ...]:
    """All of them, in order; a further one is a line here."""
    embedded_queue = settings.amqp_url is None
    return (
        Check(SETTINGS, _settings),
        Check(STRIPE, _stripe, (SETTINGS,)),
        Check("clock", _clock, (STRIPE,)),
        Check("API key", _key, (STRIPE,)),
        Check("webhook endpoint", _endpoint, (STRIPE,)),
        Check(DATABASE, _database, (SETTINGS,)),
        Check(SCHEMA, _schema, (DATABASE,)),
        Check(QUEUE, _queue, (DATABASE,) if embedded_queue else (SETTINGS,)),
        Check("markers", _markers, (STRIPE, SCHEMA)),
        Check("backlog", _backlog, (SCHEMA,)),
        Check("alerts", _alerts, (SCHEMA,)),
        Check("allowance", _allowance, (SCHEMA,)),
        Check("round trip", round_trip.drive, (SCHEMA, QUEUE)),
    )


def _settings(context: Context) -> Opinion:
    settings = context.settings
    key, secret = settings.stripe_api_key, settings.stripe_webhook_secret is not None
    if key is None:
        everybody = (*services_settings.WORKERS, services_settings.INGEST, services_settings.SIMULATOR)
        return judge.settings(services_settings.complaints(everybody), None)
    here = (*services_settings.WORKERS, services_settings.INGEST) if secret else services_settings.WORKERS
    facts = judge.Key(
        live=settings.livemode,
        restricted=key.get_secret_value().startswith("rk_"),
        base=settings.stripe_api_base,
        secret=secret,
        simulators_secret=context.knows_simulators_secret,
    )
    return judge.settings(services_settings.complaints(here), facts)


def _stripe(context: Context) -> Opinion:
    simulated = context.settings.uses_simulator
    try:
        greeting = context.greeting
    except StripeUnavailable as error:
        if not simulated:
            return failed(f"{error}: is the way to the internet open, or STRIPE_API_BASE wrong?")
        return failed(
            f"the simulator does not answer at {context.stripe.base}: run `stocksync up`, or set STRIPE_API_KEY"
        )
    return ok(f"{'the simulator' if simulated else 'Stripe'} answers in {greeting.seconds * 1000:.0f} ms")


def _clock(context: Context) -> Opinion:
    return judge.clocks(context.greeting.at, context.greeting.answer.date)


def _key(context: Context) -> Opinion:
    """Reads by lists of one. A permission is asked for before the object is looked up: 404 means it may write."""
    statuses = {
        "Products: read": context.greeting.answer.status,
        "Products: write": context.stripe.post(f"products/prod_{_nobody()}", {}).status,
        "Prices: read": context.stripe.get("prices", limit=1).status,
        "Checkout Sessions: read": context.stripe.get("checkout/sessions", limit=1).status,
        "Charges and Refunds: read": context.stripe.get("refunds", limit=1).status,
        "Disputes: read": context.stripe.get("disputes", limit=1).status,
        "Events: read": context.stripe.get("events", limit=1).status,
    }
    if context.settings.stop_selling == "links":
        statuses["Payment Links: write"] = context.stripe.post(f"payment_links/plink_{_nobody()}", {}).status
    if context.settings.expire_sessions:
        expiry = f"checkout/sessions/cs_test_{_nobody()}/expire"
        statuses["Checkout Sessions: write"] = context.stripe.post(expiry, {}).status
    return judge.permissions(statuses, live=context.settings.livemode)


def _nobody() -> str:
    """The end of an id that Stripe knows no object by."""
    return f"stocksyncdoctor{secrets.token_hex(8)}"


def _endpoint(context: Context) -> Opinion:
    answer = context.stripe.get("webhook_endpoints", limit=PAGE)
    if not answer.done:
        return warning(
            f"the endpoints can't be listed ({answer.status}): give the API key Webhook Endpoints: read, or compare "
            "the event types with the README yourself"
        )
    ours = [_read(row) for row in answer.rows if urlsplit(str(row.get("url"))).path.endswith(PATH)]
    needs_one = context.settings.livemode or context.settings.uses_simulator
    return judge.endpoints(ours, EVENT_TYPES, live=context.settings.livemode, must_be=needs_one)


def _read(row: dict[str, Any]) -> judge.Endpoint:
    return judge.Endpoint(
        str(row.get("url")),
        row.get("status") == "enabled",
        row.get("livemode") is True,
        frozenset(row.get("enabled_events") or ()),
        row.get("api_version"),
    )


def _database(context: Context) -> Opinion:
    if not connect.exists(context.settings):
        return failed(
            "nothing was started in STOCKSYNC_HOME yet, and DATABASE_URL is unset: run `stocksync up`"
        )
    try:
        with context.database.transaction() as connection:
            version = checkups.server_version(connection)
    except DatabaseOutage as outage:
        return failed(
            f"DATABASE_URL leads to nothing that answers ({outage}): is PostgreSQL up, the password right?"
        )
    context.database.require_sessions()
    return judge.server(version)


def _schema(context: Context) -> Opinion:
    return judge.schema(migrate.pending(context.dsn))


def _queue(context: Context) -> Opinion:
    try:
        context.broker.ping()
        depths = {queue.name: context.broker.depth(queue.name) for queue in PIPELINE.queues}
    except BrokerDown as down:
        return failed(
            f"{'AMQP_URL' if context.settings.amqp_url else 'the queue in the database'}: no message can be published "
            f"or counted ({down}); is it up, and has a worker started once, which makes the queues?"
        )
    waiting = {name: depth.ready + depth.waiting for name, depth in depths.items()}
    return judge.queues(waiting, {name: depth.dead for name, depth in depths.items()})


def _markers(context: Context) -> Opinion:
    found: dict[ProductId, str] = {}
    last: dict[str, str] = {}
    for _ in range(PAGES):
        answer = context.stripe.get("products", limit=PAGE, **last)
        if not answer.done:
            return skipped(f"Stripe does not list the products ({answer.status})")
        marked = {ProductId(row["id"]): part(row, "metadata").get(MARKER_KEY) for row in answer.rows}
        found |= {product: mark for product, mark in marked.items() if mark}
        if not answer.body.get("has_more"):
            break
        last = {"starting_after": answer.rows[-1]["id"]}
    with context.database.transaction() as connection:
        ids = installations.known(connection)
        quarantined = {one.id: one.reason for one in repairs.quarantined(connection, context.account)}
    return judge.markers(found, ids, quarantined)


def _backlog(context: Context) -> Opinion:
    with context.database.transaction() as connection:
        unsynced = checkups.unsynced(connection, context.account, longer_than=SYNC_SECONDS)
        unanswered = checkups.unanswered(connection, context.account, longer_than=WRITE_SECONDS)
    return judge.backlog((unsynced.count, unsynced.oldest), (unanswered.count, unanswered.oldest))


def _allowance(context: Context) -> Opinion:
    with context.database.transaction() as connection:
        used = pace.usage(connection, context.account)
    text = f"{used.reads} of {used.reads_allowed} reads of Stripe used this month, {used.writes} writes"
    return (
        ok(text)
        if used.reads <= ALLOWANCE * used.reads_allowed
        else warning(f"{text}: Stripe may slow us down")
    )


def _alerts(context: Context) -> Opinion:
    with context.database.transaction() as connection:
        untold = checkups.untold(connection, context.account, longer_than=MAIL_SECONDS)
    return judge.alerts(untold.late, untold.refused, mails_are_files=context.settings.smtp_url is None)
