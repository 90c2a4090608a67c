from __future__ import annotations

from services.reconciler.stock_rows import Low, rows
from shared.stripe_api.objects import Product
from shared.vocabulary import ProductId, Size

LOW = Low(5, {Size("L"): 20})


def product(**metadata: str) -> Product:
    """A product with this metadata."""
    return Product(id=ProductId("prod_1"), name="Shirt", metadata=metadata)


def test_each_size_stands_as_its_number_says() -> None:
    """Sizes are out, low or in stock by the threshold that holds for them, in the order in which they are listed."""
    shirt = product(sizes="XL, S, M, L", stock_S="0", stock_M="5", stock_L="6", stock_XL="6")
    assert [(row.size, row.units, row.status.value) for row in rows(shirt, LOW)] == [
        ("XL", 6, "IN STOCK"),
        ("S", 0, "OUT OF STOCK"),
        ("M", 5, "LOW STOCK"),
        ("L", 6, "LOW STOCK"),
    ]


def test_what_is_no_number_is_shown_as_it_stands() -> None:
    """A value that is no plain number keeps its text and has no units; a size without a key has neither."""
    shirt = product(sizes="S,M", stock_S="007")
    assert [(row.value, row.units, row.status.value) for row in rows(shirt, LOW)] == [
        ("007", None, "NOT A NUMBER"),
        (None, None, "NO VALUE"),
    ]


def test_a_product_without_stock_has_no_rows() -> None:
    """Neither `sizes` nor `stock`: it is left out; `stock` alone is one row without a size."""
    assert rows(product(category="books"), LOW) == []
    assert [(row.size, row.units) for row in rows(product(stock="3"), LOW)] == [("", 3)]
