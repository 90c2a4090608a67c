"""A command that waits for the stock worker, and the worker beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import Shop
from tests.support.waiting import until

T = TypeVar("T")


def working(shop: Shop, products: Sequence[ProductId], command: Callable[[], T]) -> T:
    """What `command` comes to, while a stock worker looks at the products whenever there is something to do."""
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(command)

        def step() -> bool:
            for product in products:
                shop.sync(product)
            return ended.done()

        until("the command to end", step, seconds=60)
        return ended.result()
