"""A shop in which every page has something to show, and where each of those pages is."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final
from urllib.parse import urlencode

import stripe

from services.stock_worker.deps import Deps
from services.stock_worker.sql_books import SqlBooks
from services.stripe_simulator.simulator import Simulator
from shared import clock
from shared.broker.port import Outgoing
from shared.broker.runtime import outgoing
from shared.messages import RefundChanged
from shared.stripe_api.client import StripeApi
from shared.topology import REFUNDS
from shared.vocabulary import AlertKind, EventId, ProductId, RefundId
from tests.integration.stock_worker.shop import Shop
from tests.support import inboxes, past
from tests.support.pages import ACCOUNT, Pages, add_people, served
from tests.support.postgres import fresh_database

KEY: Final = "sk_test_pages"
LONG: Final = "A very long name of a product that somebody gave it who likes words_without_any_space_in_them"


@dataclass(frozen=True, slots=True)
class Stage:
    """The pages, the shop in Stripe behind them, and an address for each page that is of one thing."""

    pages: Pages
    shop: Shop
    shown: Mapping[str, str]
    """By endpoint."""


@contextmanager
def staged(postgres: str) -> Generator[Stage]:
    """All of it, until the end of the block."""
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator.start(port=0))
        url = stack.enter_context(fresh_database(postgres))
        pages = stack.enter_context(served(url, stripe=simulator.url))
        add_people(pages.database, olga="operator", viola="viewer")
        api, books = StripeApi(KEY, simulator.url), SqlBooks(pages.database, ACCOUNT)
        deps = Deps(ACCOUNT, books, api, "testing", frozenset(), 5, Event(), pace=0)
        client = stripe.StripeClient(KEY, base_addresses={"api": simulator.url})
        shop = Shop(simulator.url, deps, pages.database, client)
        yield Stage(pages, shop, _filled(pages, shop))


def _filled(pages: Pages, shop: Shop) -> dict[str, str]:
    """Something of everything, that no test touches; the address of each."""
    database = pages.database
    past.history(database)
    past.schedule(database)
    past.runs(database, "verify", "done", "failed", "skipped")
    wordy = past.product(database, LONG, "M", "extra_large_and_then_some")
    line, _ = inboxes.held(database, wordy, "extra_large")
    inboxes.held(database, None)
    inboxes.finding(database, wordy, LONG, f"it shows “{9 * '1234567890'}”")
    inboxes.alert(
        database, AlertKind.QUARANTINE, wordy, product=wordy, name=LONG, reason="it changes all the time"
    )
    inboxes.refund(database, wordy, "extra_large_and_then_some", likeness="exact", proposed=1)
    _decided(pages, wordy)
    letters = [_letter(), Outgoing("refund.changed", b"{}", "evt_" + 60 * "x")]
    inboxes.park(pages.broker, letters, [REFUNDS], "Stripe does not know it, or " + 60 * "x")
    session = shop.sold(shop.line(shop.product(stock="9"), "", 2))
    named = urlencode({"id": letters[0].message_id})
    return {
        "products.one": f"/products/{past.SHIRT}",
        "sales.one": "/sales/cs_odd",
        "unplaced.one": f"/unplaced/{line}",
        "jobs.one": "/jobs/verify",
        "snapshots.one": f"/snapshots/{past.snapshot(database, *past.ROWS)}",
        "dead_letters.one": f"/dead-letters/{REFUNDS}?{named}",
        "dead_letters.ask": f"/dead-letters/{REFUNDS}/drop?{named}",
        "events.one": f"/events/{told(shop, session)}",
    }


def told(shop: Shop, about: str) -> str:
    """The event in Stripe's log that tells that the session was paid."""
    listed = shop.stripe.v1.events.list({"type": "checkout.session.completed"}).data
    return next(event.id for event in listed if event.data.object["id"] == about)


def _letter() -> Outgoing:
    found = RefundChanged(
        account=ACCOUNT, refund=RefundId("re_odd"), event=EventId("evt_odd"), at=clock.now()
    )
    return outgoing(found)


def _decided(pages: Pages, product: ProductId) -> None:
    """A line, a finding and a refund that somebody has seen to."""
    olga, database = pages.browser("olga"), pages.database
    line, _ = inboxes.held(database, product)
    olga.done(f"/unplaced/{line}/dismiss")
    number = inboxes.finding(database, past.product(database, "Bowl"), "Bowl")
    olga.done(f"/findings/{number}/resolve", how="typed 3")
    number = inboxes.finding(database, past.product(database, "Plate"), "Plate")
    olga.done(f"/findings/{number}/acknowledge")
    refund = inboxes.refund(database, product, "M", likeness="exact", proposed=1)
    olga.done(f"/refunds/{refund}/dismiss", reason="broken")
    waits = inboxes.alert(database, AlertKind.JOB_FAILED, "recover", job="recover", reason="Stripe was away")
    olga.done(f"/alerts/{waits}/snooze", length="1d")


@contextmanager
def stock_worker(shop: Shop, product: ProductId) -> Generator[None]:
    """A stock worker that looks at the product as long as the block lasts."""
    stop = Event()

    def work() -> None:
        while not stop.wait(0.05):
            shop.sync(product)

    worker = Thread(target=work, name="stock worker")
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(30)
