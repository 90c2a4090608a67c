"""What the stock worker does with each message of its queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from services.stock_worker import alerting, event_log
from services.stock_worker.booking import book_sessions
from services.stock_worker.books import Tx
from services.stock_worker.deps import Deps
from services.stock_worker.inspection import inspect
from services.stock_worker.sync import sync
from shared import logs
from shared.messages import (
    CheckupRequested,
    Message,
    ProductChanged,
    ProductCheckRequested,
    SessionPaid,
    SyncRequested,
)
from shared.outcomes import Done, Ignored, Outcome, Reject, RetryLater
from shared.store.sales import Handled
from shared.store.writes import Superseded
from shared.stripe_api.answers import StripeFailed, StripeRefused
from shared.stripe_api.objects import ProductUpdate, SurprisingAnswer
from shared.vocabulary import AccountKey, ProductId
from shared.webhook_events import CHECKUP

R = TypeVar("R")
log = logs.get(__name__)


def on_sales(messages: Sequence[Message], deps: Deps) -> Sequence[Outcome]:
    """Book the sessions of a batch of SessionPaid; answer a CheckupRequested among them."""
    told = [message for message in messages if isinstance(message, SessionPaid)]
    booked = iter(_telling_refusals(lambda: book_sessions(told, deps), deps) if told else [])
    return [next(booked) if isinstance(m, SessionPaid) else _beside(m, deps) for m in messages]


def on_product(message: Message, deps: Deps) -> Outcome:
    """Sync the product that a ProductChanged or SyncRequested names; look at that of a ProductCheckRequested."""
    if not isinstance(message, ProductChanged | SyncRequested | ProductCheckRequested):
        return _stray(message)
    if message.account != deps.account:
        return _of_another_account(message.account, deps)
    try:
        outcome = _telling_refusals(lambda: _sync(message, deps), deps)
    except Superseded:
        log.warning("installation_superseded", installation=deps.installation)
        deps.stop.set()  # whoever started this process starts it again, and then it reads its new id
        raise
    except (StripeFailed, SurprisingAnswer) as error:
        return RetryLater(str(error))
    if isinstance(message, ProductChanged) and message.origin == "recovery":
        _log_recovered(message, outcome, deps)
    return outcome


def _log_recovered(message: ProductChanged, outcome: Outcome, deps: Deps) -> None:
    """Note the event, so that recovery does not tell of it again; webhooks of products are not noted."""
    kind, name = f"product.{message.change}", type(outcome).__name__.lower()
    came = Handled(message.account, message.event, kind, name, message.at, recovered=True)
    deps.books.run(lambda tx: tx.sales.log_deliveries([came]))


def _sync(message: ProductChanged | SyncRequested | ProductCheckRequested, deps: Deps) -> Outcome:
    if isinstance(message, ProductCheckRequested):
        return _look(message, deps)
    if isinstance(message, ProductChanged):
        if _digested(message, deps):
            return sync(message.product, deps) if _waits(message, deps) else Ignored("our own write")
        deps.books.run(lambda tx: _edited(tx, message.product))
    return sync(message.product, deps)


def _edited(tx: Tx, product: ProductId) -> None:
    """Whoever looked before the edit must not call the product clean."""
    tx.products.mark_dirty([product])
    tx.products.next_version(product)


def _look(message: ProductCheckRequested, deps: Deps) -> Outcome:
    """Keep what a sync would see now, for the verification that asks; nothing else changes."""
    if deps.looks is None:
        return Reject("nobody verifies here")
    deps.looks.keep(message.check, message.product, message.look, inspect(message.product, deps))
    return Done()


def _digested(message: ProductChanged, deps: Deps) -> bool:
    """Whether the event is of one of our own writes, which then is digested."""
    if message.change != "updated" or message.idempotency_key is None:
        return False
    update = ProductUpdate(
        event=message.event,
        product=message.product,
        created=message.at,
        idempotency_key=message.idempotency_key,
        metadata=message.metadata,
        previous_metadata=message.previous_metadata,
    )
    with deps.books.sitting() as sitting:
        return event_log.digest_event(sitting, update, deps)


def _waits(message: ProductChanged, deps: Deps) -> bool:
    return deps.books.run(lambda tx: tx.products.is_dirty(message.product))


def _telling_refusals(work: Callable[[], R], deps: Deps) -> R:
    """Run `work`; a refused API key becomes one alert before the consumer pauses."""
    try:
        return work()
    except StripeRefused as error:
        refused = alerting.stripe_refused(deps.account, error)
        deps.books.run(lambda tx: tx.alerts.raise_([refused]))
        raise


def _beside(message: Message, deps: Deps) -> Outcome:
    """A check-up leaves its line in the delivery log and touches nothing else."""
    if not isinstance(message, CheckupRequested):
        return _stray(message)
    if message.account != deps.account:
        return _of_another_account(message.account, deps)
    came = Handled(message.account, message.event, CHECKUP, "done", message.at)
    deps.books.run(lambda tx: tx.sales.log_deliveries([came]))
    return Done()


def _of_another_account(account: AccountKey, deps: Deps) -> Reject:
    return Reject(f"the message is for {account}, this worker keeps {deps.account}")


def _stray(message: Message) -> Reject:
    return Reject(f"{message.type} does not belong in this queue")
