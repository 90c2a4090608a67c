"""List answers: filters that many resources share, and cursor pagination, newest first."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from services.stripe_simulator import errors
from services.stripe_simulator.params import Params, integer, text
from services.stripe_simulator.world import Obj

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
LOWEST: Final = {"gte": 0, "gt": 1}
HIGHEST: Final = {"lte": 0, "lt": -1}
"""What each bound adds to its number to name the first, or the last, that is let through."""


def _any(_row: Obj) -> bool:
    return True


def page(
    url: str,
    rows: Iterable[Obj],
    params: Params,
    *,
    newest_first: bool = True,
    wanted: Callable[[Obj], bool] = _any,
) -> Obj:
    """One page of the `wanted` of `rows` (in order of creation), by the filter `created` and the cursors of `params`.

    Lists may be long: no more rows are looked at than the page takes.
    """
    chosen = _created_within(rows, params)
    if newest_first:
        chosen.reverse()
    limit = integer(params, "limit")
    limit = DEFAULT_LIMIT if limit is None else limit
    if not 1 <= limit <= MAX_LIMIT:
        raise errors.invalid(f"Invalid limit: must be between 1 and {MAX_LIMIT}.", "limit")
    after, before = text(params, "starting_after"), text(params, "ending_before")
    if before:
        end = _index(chosen, before, "ending_before", wanted)
        left = list(islice(filter(wanted, reversed(chosen[:end])), limit + 1))
        rest = left[:limit][::-1]
    else:
        start = _index(chosen, after, "starting_after", wanted) + 1 if after else 0
        left = list(islice(filter(wanted, islice(chosen, start, None)), limit + 1))
        rest = left[:limit]
    return {"object": "list", "data": rest, "has_more": len(left) > len(rest), "url": url}


def _index(rows: list[Obj], identity: str, param: str, wanted: Callable[[Obj], bool]) -> int:
    for index, row in enumerate(rows):
        if row["id"] == identity and wanted(row):
            return index
    raise errors.no_such("object", identity, param, 400)


def _created_within(rows: Iterable[Obj], params: Params) -> list[Obj]:
    """The rows that the filter `created` lets through."""
    chosen, wanted = list(rows), params.get("created")
    if not wanted:
        return chosen
    if isinstance(wanted, str):
        first = last = integer(params, "created") or 0
    else:
        first = max(_edges(wanted, LOWEST), default=-math.inf)
        last = min(_edges(wanted, HIGHEST), default=math.inf)
    return chosen[bisect_left(chosen, first, key=_created) : bisect_right(chosen, last, key=_created)]


def _edges(bounds: Params, names: Mapping[str, int]) -> Iterator[int]:
    for name, added in names.items():
        edge = integer(bounds, name)
        if edge is not None:
            yield edge + added


def _created(row: Obj) -> int:
    found: int = row.get("created", 0)
    return found
