"""Goods and customers for `make up`, so that there is something to look at: where the simulator's shop is empty.

The next time customers find the goods that were left. Where a Stripe account is used, or the shop has other goods,
nothing happens.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

import requests
import stripe

from demo.shop import KEY, Shop, open_shop, shop_as_left
from services.backoffice.settings import UpSettings
from services.backoffice.supervisor.plan import Machine, ready_urls, url
from shared import clock, own_pages
from shared.settings import load

OPEN_WITHIN: Final = 120.0
"""Seconds until everything answers, at the first start of all."""
GONE_AFTER: Final = 20.0
"""Seconds without an answer after which it won't come back."""
ANSWER: Final = 5.0  # seconds
FIRST: Final = 40
"""Customers at once, in the morning."""
EVERY: Final = 12.0  # seconds between two customers from then on
PARENT: Final = os.getppid()
NEVER: Final = threading.Event()


def main() -> int:
    """Fill the shop and let customers in, until there is no shop any more."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is for `up`; we go with it
    settings = load(UpSettings)
    simulator = url(settings.simulator_bind)
    if simulator is None or not settings.uses_simulator or settings.stripe_api_base:
        return 0
    try:
        if _waited(lambda: _opened(settings), OPEN_WITHIN):
            _let_in(simulator)
    except (requests.RequestException, stripe.StripeError):
        return 0  # the shop is gone, and with it everybody in it
    return 0


def _let_in(simulator: str) -> None:
    random = Random(7)  # noqa: S311 - who buys what is no secret
    if _has_goods(simulator):
        shop = shop_as_left(simulator)
        if not shop.products:
            return
    else:
        shop = open_shop(simulator)
        NEVER.wait(EVERY)  # the keeper has looked at the goods by then, as it has in a shop that is open
        for _ in range(FIRST):
            _buy(shop, random)
    while _waited(lambda: own_pages.ready(f"{simulator}/_health", ANSWER), GONE_AFTER):
        with suppress(
            stripe.StripeError
        ):  # whoever tries what goes wrong has it refuse: that customer leaves
            _buy(shop, random)
        NEVER.wait(EVERY)


def _has_goods(simulator: str) -> bool:
    client = stripe.StripeClient(KEY, base_addresses={"api": simulator})
    return bool(client.v1.products.list({"limit": 1}).data)


def _buy(shop: Shop, random: Random) -> None:
    """Somebody buys one of what there is."""
    left = [where for where, units in shop.shown().items() if units > 0 and where in shop.prices]
    if left:
        shop.pay(shop.checkout([{"price": shop.prices[random.choice(left)], "quantity": 1}]))


def _opened(settings: UpSettings) -> bool:
    """Whether a webhook would be accepted: what is sold before that comes late, after a try again."""
    shop = Machine(settings.ingest_bind, settings.livemode, simulator_bind=settings.simulator_bind)
    return all(own_pages.ready(page, ANSWER) for page in ready_urls(shop))


def _waited(reached: Callable[[], bool], patience: float) -> bool:
    """Whether it came to that within `patience` seconds and while whoever started us was there."""
    deadline = clock.monotonic() + patience
    while clock.monotonic() < deadline and os.getppid() == PARENT:
        if reached():
            return True
        NEVER.wait(0.5)
    return False


if __name__ == "__main__":
    sys.exit(main())
