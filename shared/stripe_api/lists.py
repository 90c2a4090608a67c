"""Pages of Stripe's lists as plain JSON: the SDK's objects take ten times as long to make as an answer to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import stripe

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and whether it has more."""

    rows: Sequence[Json]
    has_more: bool


Fetch = Callable[[Json], Page]
"""One call with these parameters; raises the SDK's errors."""


def read_one(client: stripe.StripeClient, path: str) -> Json:
    """The object at `path`; raises the SDK's errors."""
    raw: Any = client
    return cast("Json", raw.raw_request("get", path).data)


def lister(client: stripe.StripeClient, path: str) -> Fetch:
    """How a page of the list at `path` is fetched."""
    raw: Any = client  # its types say nothing of what it answers

    def fetch(params: Json) -> Page:
        answer = cast("Json", raw.raw_request("get", path, **params).data)
        return Page(answer["data"], answer["has_more"])

    return fetch
