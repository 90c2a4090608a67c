"""Reading Stripe's event log: what it did not get rid of, oldest first, and which sessions it says were paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import quote

import stripe

from shared.stripe_api import objects
from shared.stripe_api.answers import StripeFailed
from shared.stripe_api.calls import Calls
from shared.stripe_api.lists import Json, lister, read_one
from shared.stripe_api.objects import PaidEvent
from shared.vocabulary import EventId
from shared.webhook_events import EVENT_TYPES, MONEY_BACK

PAGE: Final = 100
MOST_REFUSED: Final = 20
"""How often the place where a page begins may have left the list."""
ENDPOINT: Final = "GET events"
PAID: Final = (objects.COMPLETED, objects.PAID_LATER)
LATE: Final = (objects.PAID_LATER, *sorted(MONEY_BACK))


class Events:
    """The account's events. Thread-safe."""

    def __init__(self, client: stripe.StripeClient, calls: Calls) -> None:
        self._list = lister(client, "/v1/events")
        self._read = partial(read_one, client)
        self._calls = calls

    def undelivered(self, since: datetime, until: datetime) -> Iterator[list[Json]]:
        """Events from `since` to `until` that some endpoint has not taken, oldest first, about a page at a time.

        Stripe lists the newest first: what is longer than a page is read twice, once for where its pages are.
        Raises Outage, StripeFailed.
        """
        first, last = int(since.timestamp()), int(until.timestamp())
        edges: list[int] = []
        newest: Sequence[Json] = []
        for page in self._undelivered(first, last):
            newest = newest or page
            edges.append(page[-1]["created"])
        if len(edges) <= 1:
            yield [*newest][::-1]
            return
        starts = sorted({first, *edges[:-1]})
        ends = [*(start - 1 for start in starts[1:]), last]
        for start, end in zip(starts, ends, strict=True):
            once = {event["id"]: event for page in self._undelivered(start, end) for event in page}
            yield [*once.values()][::-1]

    def paid(self, since: datetime) -> Iterator[list[PaidEvent]]:
        """The events since `since` that tell of paid sessions, newest first; raises as `undelivered` does."""
        for page in self._since(since, PAID):
            events = (objects.paid_event(row) for row in page)
            yield [event for event in events if event is not None]

    def late(self, since: datetime) -> Iterator[Sequence[Json]]:
        """The events since `since` of delayed payments, refunds and disputes, newest first; raises so as well."""
        return self._since(since, LATE)

    def newest(self, since: datetime, types: Sequence[str], *, owed: bool) -> Iterator[Sequence[Json]]:
        """The events since `since` of these types, newest first; only those `owed` to some endpoint, or all."""
        return self._since(since, types, {"delivery_success": False} if owed else {})

    def one(self, event: EventId) -> Json | None:
        """The event by id; None where Stripe knows none, or no more. Raises Outage, StripeFailed."""
        return self._calls.read("GET events/id", partial(self._read, f"/v1/events/{quote(event, safe='')}"))

    def _since(
        self, since: datetime, types: Sequence[str], more: Json | None = None
    ) -> Iterator[Sequence[Json]]:
        bounds = {"gte": int(since.timestamp())}
        params: Json = {"types": list(types), "created": bounds, "limit": PAGE, **(more or {})}
        return self._calls.pages(ENDPOINT, params, self._list)

    def _undelivered(self, first: int, last: int) -> Iterator[Sequence[Json]]:
        """The pages, newest first, none of them empty.

        What is delivered meanwhile leaves the list, and with it the place where a page begins: then the list is read
        on by its times, and some events come twice.
        """
        params: Json = {"delivery_success": False, "types": sorted(EVENT_TYPES), "limit": PAGE}
        cursor: Json = {}
        refused = 0
        while True:
            wanted = {**params, "created": {"gte": first, "lte": last}, **cursor}
            try:
                found = self._calls.read(ENDPOINT, partial(self._list, wanted))
            except StripeFailed:
                refused += 1
                if not cursor or refused > MOST_REFUSED:
                    raise
                cursor = {}
                continue
            if found is None:
                raise StripeFailed("Stripe does not know its own events")
            if found.rows:
                yield found.rows
            if not (found.has_more and found.rows):
                return
            last, cursor = found.rows[-1]["created"], {"starting_after": found.rows[-1]["id"]}
