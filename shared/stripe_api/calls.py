"""Calls to Stripe at their turn: reads are tried again a few times, writes never; 429, 401 and 403 reach the pace."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Event
from typing import Final, TypeVar

import stripe

from shared import logs
from shared.stripe_api.answers import LostCursor, StripeFailed, StripeRefused, StripeUnavailable
from shared.stripe_api.departures import Departures
from shared.stripe_api.lists import Fetch, Json
from shared.stripe_api.pace import ALL, LONGEST_HOLD, Pace, Turn

TRIES: Final = 3
"""How often one read is tried."""
FIRST_REST: Final = 0.5
"""Seconds before a read is tried again, where it is not the pace that makes it wait; then twice as long."""
LOWEST_ERROR: Final = 400
NOT_FOUND: Final = 404
IN_USE: Final = 409
TOO_MANY: Final = 429
OWN_ERROR: Final = 500
UNAUTHORIZED: Final = 401
REFUSED: Final = (UNAUTHORIZED, 403)
CURSOR: Final = "starting_after"
ACCEPTED: Final = (400, NOT_FOUND)
"""Errors about the call itself: the key was taken, and in time."""

T = TypeVar("T")
log = logs.get(__name__)


class Calls:
    """One account's calls. Thread-safe."""

    def __init__(self, pace: Pace, stop: Event) -> None:
        """Take turns from `pace`; once `stop` is set nobody waits for a turn any more."""
        self._pace = pace
        self._departures = Departures(pace.limits)
        self._stop = stop

    def read(self, endpoint: str, call: Callable[[], T]) -> T | None:
        """What `call` answers, None where Stripe knows no such object; raises Outage or StripeFailed."""
        for attempt in range(1, TRIES + 1):
            try:
                return self._at_its_turn(endpoint, call, write=False)
            except stripe.StripeError as error:
                if error.http_status == NOT_FOUND:
                    return None
                if attempt == TRIES or not _may_pass(error):
                    raise _of_read(error, endpoint) from None
                held = slowed_by(error, endpoint) is not None
            if not held:
                self._wait(FIRST_REST * 2 ** (attempt - 1) * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
        raise AssertionError("the last try raises")

    def pages(self, endpoint: str, params: Json, fetch: Fetch) -> Iterator[Sequence[Json]]:
        """The pages of a list, each a call of `fetch` with `params` and a cursor; raises as `read` does."""
        while True:
            page = self.read(endpoint, partial(fetch, params))
            if page is None:
                raise StripeFailed("Stripe does not know what it knew before")
            yield page.rows
            if not (page.has_more and page.rows):
                return
            params = {**params, CURSOR: page.rows[-1]["id"]}

    def write(self, endpoint: str, call: Callable[[], T]) -> T:
        """What `call` answers, once; raises its StripeError, or an Outage where it was not sent at all."""
        return self._at_its_turn(endpoint, call, write=True)

    def _at_its_turn(self, endpoint: str, call: Callable[[], T], *, write: bool) -> T:
        turn = self._pace.take(endpoint, write=write)
        self._wait(turn.wait)
        self._wait(self._departures.wait(endpoint))
        try:
            answer = call()
        except stripe.StripeError as error:
            self._tell(turn, error)
            raise
        self._accepted(turn)
        return answer

    def _tell(self, turn: Turn, error: stripe.StripeError) -> None:
        status = error.http_status
        if status in REFUSED:
            endpoint = ALL if status == UNAUTHORIZED else turn.endpoint
            log.warning("stripe_refused", endpoint=turn.endpoint, status=status)
            self._pace.refuse(endpoint, refusal(status, turn.endpoint))
        elif (slow := slowed_by(error, turn.endpoint)) is not None:
            log.warning("stripe_slowed", endpoint=slow or "all", seen_at=turn.endpoint)
            self._pace.slow(slow, _retry_after(error))
        elif status in ACCEPTED:
            self._accepted(turn)

    def _accepted(self, turn: Turn) -> None:
        if turn.slowed or turn.probe:
            self._pace.accept(turn)
        if turn.probe:
            log.info("stripe_accepts", endpoint=turn.endpoint)

    def _wait(self, seconds: float) -> None:
        if seconds > 0 and self._stop.wait(seconds):
            raise StripeUnavailable("the process stops; the call was not sent")


def refusal(status: int | None, endpoint: str) -> str:
    """What people are told of a 401, or of a 403, which is about this endpoint."""
    what = "the API key" if status == UNAUTHORIZED else f"the API key for {endpoint}"
    return f"Stripe refused {what} ({status})"


def slowed_by(error: stripe.StripeError, endpoint: str) -> str | None:
    """What a 429 is about: ALL endpoints, this one, or None, a single object that is locked just now. Pure."""
    if error.http_status != TOO_MANY:
        return None
    reason = _headers(error).get("stripe-rate-limited-reason", "")
    if reason.startswith("global"):
        return ALL
    code = getattr(error.error, "code", None)
    of_endpoint = reason.startswith("endpoint") or (not reason and code == "rate_limit")
    return endpoint if of_endpoint else None


def _may_pass(error: stripe.StripeError) -> bool:
    """Whether the same read may succeed a little later."""
    status = error.http_status
    if status is None or status < LOWEST_ERROR:  # no answer, or one that could not be read
        return True
    if status >= OWN_ERROR:
        return _headers(error).get("stripe-should-retry") != "false"
    return status in {IN_USE, TOO_MANY}


def _of_read(error: stripe.StripeError, endpoint: str) -> Exception:
    status = error.http_status
    if isinstance(error, stripe.InvalidRequestError) and getattr(error, "param", None) == CURSOR:
        return LostCursor("what the list was to go on after is gone")
    if status in REFUSED:
        return StripeRefused(refusal(status, endpoint), ALL if status == UNAUTHORIZED else endpoint)
    if isinstance(error, stripe.APIConnectionError):
        return StripeUnavailable("Stripe can't be reached")
    if status == TOO_MANY:
        return StripeUnavailable("Stripe asks for fewer requests (429)")
    return StripeFailed(f"Stripe answered {status} ({type(error).__name__})")


def _retry_after(error: stripe.StripeError) -> float:
    text = _headers(error).get("retry-after", "")
    return min(float(text), LONGEST_HOLD) if text.isascii() and text.isdigit() else 0.0


def _headers(error: stripe.StripeError) -> dict[str, str]:
    return {name.lower(): value for name, value in (error.headers or {}).items()}
