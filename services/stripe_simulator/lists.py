"""List answers: filters that many resources share, and cursor pagination, newest first."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Final

from services.stripe_simulator import errors
from services.stripe_simulator.params import Params, group, integer, text
from services.stripe_simulator.world import Obj

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
COMPARISONS: Final[dict[str, Callable[[int, int], bool]]] = {
    "gte": operator.ge,
    "gt": operator.gt,
    "lte": operator.le,
    "lt": operator.lt,
}


def page(url: str, rows: Iterable[Obj], params: Params, *, newest_first: bool = True) -> Obj:
    """One page of `rows` (in order of creation) after the filter `created` and the cursors of `params`."""
    chosen = _created_within(rows, params)
    if newest_first:
        chosen.reverse()
    limit = integer(params, "limit")
    limit = DEFAULT_LIMIT if limit is None else limit
    if not 1 <= limit <= MAX_LIMIT:
        raise errors.invalid(f"Invalid limit: must be between 1 and {MAX_LIMIT}.", "limit")
    after, before = text(params, "starting_after"), text(params, "ending_before")
    if before:
        left = chosen[: _index(chosen, before, "ending_before")]
        rest = left[-limit:]
    else:
        left = chosen[_index(chosen, after, "starting_after") + 1 :] if after else chosen
        rest = left[:limit]
    return {"object": "list", "data": rest, "has_more": len(left) > len(rest), "url": url}


def _index(rows: list[Obj], identity: str, param: str) -> int:
    for index, row in enumerate(rows):
        if row["id"] == identity:
            return index
    raise errors.no_such("object", identity, param, 400)


def _created_within(rows: Iterable[Obj], params: Params) -> list[Obj]:
    """The rows that the filter `created` lets through; read once, because lists may be long."""
    wanted = params.get("created")
    if not wanted:
        return list(rows)
    if isinstance(wanted, str):
        exactly = integer(params, "created")
        return [row for row in rows if row.get("created", 0) == exactly]
    bounds = group(params, "created")
    chosen = list(rows)
    for name, holds in COMPARISONS.items():
        edge = integer(bounds, name)
        if edge is not None:
            chosen = [row for row in chosen if holds(row.get("created", 0), edge)]
    return chosen
