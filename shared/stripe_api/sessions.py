"""Reading Checkout Sessions with all of their lines: one by id, many from a list where that saves calls."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import stripe

from shared import logs
from shared.stripe_api import objects
from shared.stripe_api.answers import StripeFailed
from shared.stripe_api.calls import Calls
from shared.stripe_api.lists import Json, lister
from shared.stripe_api.objects import CheckoutSession, ListedSession, SurprisingAnswer
from shared.stripe_api.recent import Recent
from shared.vocabulary import SessionId

PAGE: Final = 100
FEWEST_TO_LIST: Final = 4
"""Sessions that are worth a list: it takes one call for their page and one for their products."""
WORTH_A_PAGE: Final = 3
"""Sessions that a page must hold, or it was asked for in vain."""
WORTH_A_VAIN_PAGE: Final = 20
"""Sessions still missing for each page in vain that is put up with."""
BACKLOG: Final = 50
"""Sessions wanted at once from which on a page is also worth what it tells of others."""
MOST_PAGES: Final = 100
"""Pages of one list; what they did not show is read by id."""
READERS: Final = 8
"""Sessions read by id at once."""
LIFETIME: Final = 24 * 3600
"""Seconds a session can be paid for; one that is older at its event was paid by a delayed method."""

SessionAnswer = CheckoutSession | StripeFailed | SurprisingAnswer | None
"""A session, None where Stripe knows none, or why this one could not be read."""

log = logs.get(__name__)


class Sessions:
    """The account's Checkout Sessions. Thread-safe."""

    def __init__(self, client: stripe.StripeClient, calls: Calls) -> None:
        self._client = client
        self._of = client.v1.checkout.sessions
        self._list = lister(client, "/v1/checkout/sessions")
        self._list_products = lister(client, "/v1/products")
        self._calls = calls
        self._recent = Recent()

    def one(self, session: SessionId) -> CheckoutSession | None:
        """The session as it is now; None where there is none. Raises Outage, StripeFailed, SurprisingAnswer."""
        expand = ["line_items.data.price.product"]
        found = self._calls.read(
            "GET checkout/sessions/id", lambda: self._of.retrieve(session, {"expand": expand}).to_dict()
        )
        if found is None:
            return None
        first = objects.part(found, "line_items")
        lines: list[Json] = list(first.get("data") or [])
        if first.get("has_more") and lines:
            lines += self._lines(session, after=lines[-1]["id"])
        return objects.session(found, lines)

    def many(self, wanted: Mapping[SessionId, datetime]) -> dict[SessionId, SessionAnswer]:
        """An answer for each of `wanted`, by the time of the event that told of it; raises Outage.

        What a list shows as unpaid is read by id before that is believed: lists may lag behind.
        """
        answers: dict[SessionId, SessionAnswer] = {**self._recent.get(wanted)}
        unknown = {session: at for session, at in wanted.items() if session not in answers}
        rows = self._listed(unknown) if len(unknown) >= FEWEST_TO_LIST else {}
        catalogue = self._catalogue(row for row in rows.values() if not _cut(row))
        for session, row in rows.items():
            lines = _with_products(row, catalogue)
            answer = None if lines is None else _parsed(row, lines)
            if answer is not None and session in wanted:
                answers[session] = answer
            elif isinstance(answer, CheckoutSession):
                self._recent.keep(session, answer)
        rest = [session for session in wanted if session not in answers]
        if rest:
            with ThreadPoolExecutor(max_workers=min(READERS, len(rest))) as readers:
                read = readers.map(self._answer, rest, [rows.get(session) for session in rest])
                answers |= zip(rest, read, strict=True)
        return answers

    def paid_since(self, since: datetime) -> Iterator[tuple[SessionId, datetime]]:
        """(id, when it was made) of the paid sessions made since `since`, newest first; raises Outage, StripeFailed."""
        for page in self.completed_since(since):
            for row in page:
                if row.paid:
                    yield row.id, row.created

    def completed_since(self, since: datetime) -> Iterator[list[ListedSession]]:
        """The pages of completed sessions made since `since`, newest first; raises as `paid_since` does."""
        params = {"created": {"gte": int(since.timestamp())}, "status": "complete", "limit": PAGE}
        for page in self._calls.pages("GET checkout/sessions", params, self._list):
            yield [objects.listed_session(row) for row in page]

    def of_payment(self, payment_intent: str) -> CheckoutSession | None:
        """The session that was paid so; None where there is none. Raises Outage, StripeFailed, SurprisingAnswer."""
        params: Any = {"payment_intent": payment_intent, "limit": 1}
        listed = self._calls.read("GET checkout/sessions", lambda: self._of.list(params))
        return self.one(SessionId(listed.data[0].id)) if listed and listed.data else None

    def _answer(self, session: SessionId, row: Json | None) -> SessionAnswer:
        """The session read by itself; one that was listed as `row` lacks only its lines."""
        try:
            return self.one(session) if row is None else objects.session(row, self._lines(session))
        except (StripeFailed, SurprisingAnswer) as error:
            return error

    def _listed(self, wanted: Mapping[SessionId, datetime]) -> dict[SessionId, Json]:
        """Paid sessions as pages of the newest show them, `wanted` and others, as long as pages save calls.

        Where many are wanted at once, there is a backlog, and what else a page shows will be wanted next.
        """
        told = [at.timestamp() for at in wanted.values()]
        params = {
            "created": {"gte": int(min(told)) - LIFETIME, "lte": math.ceil(max(told))},
            "status": "complete",
            "limit": PAGE,
            "expand": ["data.line_items"],  # four levels are the most: too few to reach the products
        }
        found: dict[SessionId, Json] = {}
        pages = self._calls.pages("GET checkout/sessions", params, self._list)
        backlog, missing, vain = len(wanted) >= BACKLOG, len(wanted), 0
        try:
            for number, page in enumerate(pages, 1):
                rows = {SessionId(row["id"]): row for row in page}
                hits = len(rows.keys() & wanted.keys())
                missing -= hits
                news = len(rows) - len(self._recent.get(rows)) if backlog else 0
                vain += hits < WORTH_A_PAGE and news < len(rows) // 2
                found |= rows
                if missing <= 0 or number == MOST_PAGES or vain > missing // WORTH_A_VAIN_PAGE:
                    break
        except StripeFailed as error:
            log.warning("stripe_list_failed", reason=str(error))
        return {session: row for session, row in found.items() if row.get("payment_status") != "unpaid"}

    def _catalogue(self, rows: Iterable[Json]) -> dict[str, Json]:
        """The products of the rows' lines by id; deleted ones and some ad-hoc ones are on no list."""
        ids = sorted(
            {line["price"]["product"] for row in rows for line in _lines_of(row) if line.get("price")}
        )
        found: dict[str, Json] = {}
        for start in range(0, len(ids), PAGE):
            params: Json = {"ids": ids[start : start + PAGE], "limit": PAGE}
            try:
                listed = self._calls.read("GET products", partial(self._list_products, params))
            except StripeFailed as error:
                log.warning("stripe_list_failed", reason=str(error))
            else:
                found |= {row["id"]: row for row in listed.rows} if listed else {}
        return found

    def _lines(self, session: SessionId, after: str | None = None) -> list[Json]:
        params: Json = {"limit": PAGE, "expand": ["data.price.product"]}
        if after:
            params["starting_after"] = after
        fetch = lister(self._client, f"/v1/checkout/sessions/{quote(session, safe='')}/line_items")
        pages = self._calls.pages("GET checkout/sessions/id/line_items", params, fetch)
        return [line for page in pages for line in page]


def _lines_of(row: Json) -> list[Json]:
    return objects.part(row, "line_items").get("data") or []


def _cut(row: Json) -> bool:
    """Whether a listed session has more lines than the list shows."""
    return "line_items" not in row or bool(objects.part(row, "line_items").get("has_more"))


def _with_products(row: Json, catalogue: Mapping[str, Json]) -> list[Json] | None:
    """The row's lines, their products put in as if expanded; None where a line or product is missing."""
    if _cut(row):
        return None
    lines: list[Json] = []
    for line in _lines_of(row):
        price = objects.part(line, "price")
        if price and price["product"] not in catalogue:
            return None
        lines.append({**line, "price": {**price, "product": catalogue[price["product"]]}} if price else line)
    return lines


def _parsed(row: Json, lines: list[Json]) -> SessionAnswer:
    try:
        return objects.session(row, lines)
    except SurprisingAnswer as error:
        return error
