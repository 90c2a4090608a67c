"""Questions about the headers of an answer."""

from __future__ import annotations

from typing import Final

from services.backoffice.operations.probe.question import Bench, Question, Seen, noted, seen
from shared import clock

LIMITS: Final = ("rate", "limit", "retry")
HONEST: Final = 60  # seconds


def _date(bench: Bench) -> Seen:
    date = bench.api.get(f"products/{bench.product}").date
    if date is None:
        return seen("no Date header", expected=False)
    skew = (clock.now() - date).total_seconds()
    return seen(f"{skew:+.0f} s from this machine's clock", expected=abs(skew) <= HONEST)


def _limits(bench: Bench) -> Seen:
    headers = bench.api.get(f"products/{bench.product}").headers
    found = sorted(name for name in headers if any(word in name for word in LIMITS))
    return noted(f"headers about limits: {', '.join(found) or 'none'}")


def _version(bench: Bench) -> Seen:
    headers = bench.api.get(f"products/{bench.product}").headers
    version, request = headers.get("stripe-version", "none"), "request-id" in headers
    return seen(f"Stripe-Version {version}, {'a' if request else 'no'} Request-Id", expected=request)


QUESTIONS: Final = (
    Question(
        "the Date header", "it is there and within a minute", "`stocksync doctor` judges clocks by it", _date
    ),
    Question(
        "headers about rate limits on a 2xx",
        "nothing is promised",
        "the pace is kept by counting our own calls",
        _limits,
    ),
    Question(
        "the version an answer speaks",
        "the one that was asked for",
        "logs can name the request to Stripe",
        _version,
    ),
)
