"""Taking over what is in quarantine: a person says that Stripe's numbers are right as they stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from services.backoffice.operations.hints import hint
from shared.broker.port import Broker
from shared.database.pool import Database
from shared.refusal import Refused
from shared.store import repairs
from shared.store.repairs import Quarantined
from shared.vocabulary import AccountKey, ProductId


class NotQuarantined(Refused):
    """Some of the products are unknown or not in quarantine; the text is fit for people."""


def candidates(
    database: Database, account: AccountKey, wanted: Collection[ProductId] | None
) -> list[Quarantined]:
    """The `wanted` products, or all (None), that are in quarantine; raises NotQuarantined, DatabaseOutage."""
    found = database.run(lambda connection: repairs.quarantined(connection, account))
    if wanted is None:
        return found
    others = sorted(set(wanted) - {one.id for one in found})
    if others:
        mode = account.rpartition(":")[2]
        raise NotQuarantined(
            f"not in quarantine in {mode} mode, or never seen: {', '.join(others)};"
            " `stocksync jobs run verify` looks at them"
        )
    return [one for one in found if one.id in wanted]


def take_over(
    database: Database, broker: Broker, account: AccountKey, products: Sequence[ProductId]
) -> tuple[list[ProductId], bool]:
    """Have the stock worker take Stripe's numbers for right; which products, and whether it was told already.

    Products that have left quarantine meanwhile are not among them. Where the queue is away, the
    reconciler finds the products. Raises DatabaseOutage.
    """
    taken = sorted(database.run(lambda connection: repairs.take_over(connection, account, products)))
    return taken, hint(broker, account, taken)
