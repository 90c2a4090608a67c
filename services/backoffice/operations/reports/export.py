"""Every movement since some moment, or after some id, as a stream that holds little at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Final

from services.backoffice.operations.reports.products import Unclear
from services.backoffice.operations.reports.stock import Ledger
from shared import clock
from shared.movement_feed import Recorded
from shared.store.movement_feed import Horizon, MovementFeed

AT_ONCE: Final = 2_000
PATIENCE: Final = 60.0
"""Seconds that writers may take to commit what they began before the export."""
LOOK_EVERY: Final = 0.05


@dataclass(frozen=True, slots=True)
class Wanted:
    """Movements with greater ids than `after` that were made at `since` or later (None: whenever)."""

    since: datetime | None = None
    after: int = 0


def export(ledger: Ledger, wanted: Wanted, *, patience: float = PATIENCE) -> Iterator[Recorded]:
    """The movements committed by now, by id, in short transactions: a slow reader holds nothing up.

    None is left out that could still come up with a smaller id. Raises Unclear where writers take longer than
    `patience` seconds, DatabaseOutage.
    """
    upto = _horizon(ledger, patience)
    after = wanted.after
    if wanted.since is not None:
        since = wanted.since
        first = ledger.database.run(lambda c: MovementFeed(c, ledger.account).first_since(since))
        if first is None:
            return
        after = max(after, first - 1)
    while page := _page(ledger, after, upto, wanted.since):
        yield from page
        after = page[-1].id


def _page(ledger: Ledger, after: int, upto: int, since: datetime | None) -> list[Recorded]:
    return ledger.database.run(
        lambda c: MovementFeed(c, ledger.account).between(after, upto, since=since, limit=AT_ONCE)
    )


def _horizon(ledger: Ledger, patience: float) -> int:
    """The id up to which all movements are there."""
    horizon, deadline, never = Horizon(), clock.monotonic() + patience, Event()
    with ledger.database.session() as connection:
        while not (upto := horizon.advance(connection)) and horizon.waiting:
            if clock.monotonic() > deadline:
                raise Unclear(
                    f"somebody has been writing to the database for {patience:g} s; try again later"
                )
            never.wait(LOOK_EVERY)
    return upto
