"""When a product or a size counts as low in stock."""

from __future__ import annotations

from shared.database.pool import Database
from shared.refusal import Refused
from shared.store import thresholds
from shared.vocabulary import AccountKey, ProductId, Size


class NeverSeen(Refused):
    """No such product, or no such size of it, was ever seen; the text is fit for people."""


def set_threshold(
    database: Database,
    account: AccountKey,
    product: ProductId,
    threshold: int | None,
    *,
    size: Size | None = None,
) -> None:
    """Units from which on people are told; None goes back to what applies above (product, then shop).

    It takes effect with the next change of that stock. Raises NeverSeen, DatabaseOutage.
    """
    with database.transaction() as connection:
        if size is None:
            known = thresholds.set_for_product(connection, account, product, threshold)
        else:
            known = thresholds.set_for_size(connection, account, product, size, threshold=threshold)
    if not known:
        what = product if size is None else f"{product}, size {size or '(none)'},"
        raise NeverSeen(f"{what} has never been seen in {account.rpartition(':')[2]} mode")
