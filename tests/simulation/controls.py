"""Negative controls: each takes one part of the protocol out, in tests only; then an invariant has to fail."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from services.stock_worker import event_log, observation, sending
from services.stock_worker.books import Sitting, Tx
from services.stock_worker.deps import Deps
from services.stock_worker.protocol.digest import Replaced
from services.stock_worker.protocol.facts import NO_MARKER, Facts, Owner
from services.stock_worker.protocol.history import History
from services.stock_worker.protocol.judge import Believe
from shared import stock_metadata
from shared.stripe_api.answers import WriteAnswer, WriteResult
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import ProductId
from shared.writes import Write, WriteState
from tests.simulation.crew import Switches
from tests.simulation.gateway import Gateway
from tests.simulation.memory_books import MemoryTx

Patch = pytest.MonkeyPatch


def _without_settle(patch: Patch) -> None:
    """One look decides: where the marker is not there, the write is taken for lost and planned anew."""

    def decide(sitting: Sitting, write: Write, deps: Deps) -> None:
        found = deps.stripe.product(write.product)
        landed = found is not None and found.metadata.get(stock_metadata.MARKER_KEY) == write.marker
        with sitting.transaction() as tx:
            state = WriteState.APPLIED if landed else WriteState.CANCELLED
            tx.writes.leave_pending(write, state, "")
            tx.products.next_version(write.product)

    patch.setattr(sending, "settle", decide)


def _without_fence(patch: Patch) -> None:
    """Where somebody edited, the write is taken for cancelled without its key being spent."""
    post = Gateway.write_metadata

    def send(gateway: Gateway, product: ProductId, body: Mapping[str, str], key: str) -> WriteAnswer:
        return post(gateway, product, body, key) if body else WriteAnswer(WriteResult.APPLIED)

    patch.setattr(Gateway, "write_metadata", send)


def _without_committed_key(patch: Patch) -> None:
    """Every attempt has a key of its own, as an SDK makes them."""
    post, attempts = Gateway.write_metadata, itertools.count()

    def send(gateway: Gateway, product: ProductId, body: Mapping[str, str], key: str) -> WriteAnswer:
        return post(gateway, product, body, f"{key}:{next(attempts)}")

    patch.setattr(Gateway, "write_metadata", send)


def _without_version(patch: Patch) -> None:
    """Nobody notices what happened between a look and its transaction."""

    def unchanged(tx: MemoryTx, product: ProductId) -> None:
        del tx, product

    patch.setattr(MemoryTx, "next_version", unchanged)


def _without_digest(patch: Patch) -> None:
    """Our own events say nothing of what they replaced."""

    def landed(tx: Tx, write: Write, update: ProductUpdate, replaced: Replaced, *, restore: bool) -> None:
        del replaced, restore
        tx.own_events.mark_digested(write, update.created)
        tx.products.next_version(write.product)

    patch.setattr(event_log, "_digest", landed)


def _without_odd_markers(patch: Patch) -> None:
    """Every marker is believed as it stands there."""

    def believe(facts: Facts, marker: str, history: History | None) -> Believe:
        del history
        return Believe(marker if facts.owner is Owner.OURS else NO_MARKER)

    patch.setattr(observation, "judge", believe)


def _without_canonical_numbers(patch: Patch) -> None:
    """A number is what `int()` takes for one."""

    def lenient(text: str) -> int | None:
        try:
            return int(text)
        except ValueError:
            return None

    patch.setattr(stock_metadata, "parse_units", lenient)


def _nothing(patch: Patch) -> None:
    """The part is a switch of the world."""
    del patch


CONTROLS: Final[Mapping[str, tuple[Callable[[Patch], None], Switches]]] = {
    "settle": (_without_settle, Switches()),
    "fence": (_without_fence, Switches()),
    "committed key": (_without_committed_key, Switches()),
    "version check and session lock": (_without_version, Switches(one_session=False)),
    "digest": (_without_digest, Switches()),
    "odd-marker rule": (_without_odd_markers, Switches()),
    "unique source key": (_nothing, Switches(unique_keys=False)),
    "ack after commit": (_nothing, Switches(ack_after_commit=False)),
    "canonical numbers only": (_without_canonical_numbers, Switches()),
}
