"""Which product people mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.database.pool import Database
from shared.refusal import Refused
from shared.store.levels import Levels, Named
from shared.store.snapshots import Snapshots
from shared.vocabulary import AccountKey

SHOWN: Final = 5
"""Products that are named where a beginning fits several."""


class Unclear(Refused):
    """What people asked for is not there, or is several things; the text is for them."""


def choose(wanted: str, found: Sequence[Named]) -> Named:
    """The product that `wanted` names by id, exact name, or unique beginning; raises Unclear.

    `found` are those whose id or name begins so, what fits exactly first.
    """
    for fits in (
        [one for one in found if one.id == wanted],
        [one for one in found if one.name == wanted],
        [one for one in found if one.name.lower() == wanted.lower()],
        found,
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            named = ", ".join(f"{one.id} ({one.name or 'no name'})" for one in fits[:SHOWN])
            more = " and more" if len(fits) > SHOWN else ""
            raise Unclear(f"{wanted!r} fits several products: {named}{more}")
    raise Unclear(f"no product has the id {wanted!r}, or a name that begins so")


def find(database: Database, account: AccountKey, wanted: str) -> Named:
    """The product that `wanted` names, in the ledger or else in the last snapshot; raises Unclear, DatabaseOutage."""
    if not wanted:
        return choose(wanted, [])
    found = database.run(
        lambda c: (
            Levels(c, account, 0).called(wanted, SHOWN + 1) or Snapshots(c, account).called(wanted, SHOWN + 1)
        )
    )
    return choose(wanted, found)
