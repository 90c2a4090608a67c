"""What was taken off sale because it is gone, and putting something back by hand; the stock worker makes the calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.database.pool import Connection, Database
from shared.refusal import Refused
from shared.selling import Expiry, Stop, StopState
from shared.store.products import Products
from shared.store.selling import Expiries, SellingStops
from shared.vocabulary import AccountKey, ProductId

RESUMABLE: Final = (StopState.PLANNED, StopState.STOPPED, StopState.RESUMING)


class NotStopped(Refused):
    """Nothing of that name was taken off sale; the text is fit for people."""


@dataclass(frozen=True, slots=True)
class Halted:
    """The stops that are open or changed lately, and the sessions that were expired lately, newest first.

    `names` are the names of the products that they are about.
    """

    stops: list[Stop]
    sessions: list[Expiry]
    names: Mapping[ProductId, str]


def listed(database: Database, account: AccountKey, days: int) -> Halted:
    """What is off sale, and what happened in the last `days`; raises DatabaseOutage."""

    def read(connection: Connection) -> Halted:
        stops = SellingStops(connection, account).listed(days)
        sessions = Expiries(connection, account).listed(days)
        products = {one.product for one in (*stops, *sessions)}
        names = {row.id: row.name for row in Products(connection, account).rows(products)}
        return Halted(stops, sessions, names)

    return database.run(read)


def resume(database: Database, account: AccountKey, thing: str, *, by: str) -> Stop:
    """Have the link or product `thing` put back on sale, in stock or not; raises NotStopped, DatabaseOutage."""
    stop = database.run(lambda connection: SellingStops(connection, account).want(thing, by))
    if stop is None:
        raise NotStopped(
            f"{thing[:60]} was not taken off sale by stocksync: `stocksync selling list` shows what was"
        )
    if stop.state not in RESUMABLE:
        raise NotStopped(f"{thing} is on sale already: {stop.why}")
    return stop
