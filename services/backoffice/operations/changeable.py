"""What stands in the way of changing the stock of a product or size, in words for people; pure."""

from __future__ import annotations

from typing import Final

from shared.vocabulary import PLAIN, ProductId, Size

_STATES: Final = {
    "closed": "was deleted in Stripe: it has no stock any more",
    "untracked": "keeps no stock: give it `stock` or `sizes` in its metadata in Stripe first",
    "quarantined": "is in quarantine ({reason}): see to that first, its alert says how (`stocksync alerts list`)",
}
_SIZES: Final = {
    "unreadable": "has no plain whole number in Stripe: correct it in the Dashboard first",
    "missing": "was taken out of the product's metadata in Stripe: put it back there first",
}


def of_product(state: str, reason: str) -> str:
    """What a person has to see to first; '' where nothing."""
    return _STATES.get(state, "").format(reason=reason)


def of_size(state: str) -> str:
    """The same of a size."""
    return _SIZES.get(state, "")


def called(product: ProductId, name: str, size: Size = PLAIN) -> str:
    """`Shirt (prod_1), size M`, as far as there is a name or a size."""
    whole = f"{name} ({product})" if name else product
    return f"{whole}, size {size}" if size else whole


def listed(sizes: list[Size]) -> str:
    """`the sizes L, M`."""
    if sizes == [""]:
        return "no sizes"
    return f"the sizes {', '.join(sizes)}" if sizes else "none that was ever seen"
