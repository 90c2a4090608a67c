"""Single sales with pauses: how long until Stripe shows the number, and what each costs in calls."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from random import Random
from typing import Final

from bench.sync import requests_log
from bench.sync.finding import Finding, calls
from bench.sync.requests_log import RequestsLog
from bench.sync.shop import Shop
from bench.sync.waiting import wait_for, wait_until
from shared import clock
from shared.vocabulary import Variant

PRODUCTS: Final = 12
PAUSE: Final = (0.3, 0.8)  # seconds
PATIENCE: Final = 30.0  # seconds for one sale
LOOK: Final = 0.005
P50, P99 = 0.3, 1.0  # seconds beyond Stripe's own


@dataclass(frozen=True, slots=True)
class Timed:
    """One sale: when the customer paid and when Stripe showed it, seconds since the epoch."""

    paid: float
    shown: float


def play(shop: Shop, sales: int, random: Random) -> list[Timed]:
    """Sell one after the other, each to its end; raises RuntimeError where Stripe never shows one."""
    timed: list[Timed] = []
    variants = shop.variants
    shown = dict(shop.shown())
    for number in range(sales):
        variant = variants[number * 5 % len(variants)]
        shown[variant] -= 1
        timed.append(_sale(shop, variant, shown[variant]))
        wait_until(clock.monotonic() + random.uniform(*PAUSE))
    return timed


def _sale(shop: Shop, variant: Variant, wanted: int) -> Timed:
    paid = clock.now().timestamp()
    shop.sell(variant)
    if not wait_for(PATIENCE, lambda: shop.number(variant) == wanted, LOOK):
        raise RuntimeError(f"Stripe did not show a sale within {PATIENCE:g} s")
    return Timed(paid, clock.now().timestamp())


def findings(timed: list[Timed], log: RequestsLog, latency: float) -> list[Finding]:
    """Latencies in milliseconds, Stripe's part of them, and calls per sale."""
    whole = [one.shown - one.paid for one in timed]
    stripes = [log.under_way(one.paid, one.shown, latency) for one in timed]
    ours = [all_of - stripe for all_of, stripe in zip(whole, stripes, strict=True)]
    p50, p99 = statistics.median(ours), _p99(ours)
    return [
        Finding("sale to number, p50", f"{_ms(statistics.median(whole))}"),
        Finding("… of it Stripe's own time", f"{_ms(statistics.median(stripes))}"),
        Finding("… of it ours", f"{_ms(p50)}", f"≤ {_ms(P50)}", p50 <= P50),
        Finding("sale to number, p99", f"{_ms(_p99(whole))}"),
        Finding("… of it Stripe's own time", f"{_ms(_p99(stripes))}"),
        Finding("… of it ours", f"{_ms(p99)}", f"≤ {_ms(P99)}", p99 <= P99),
        *_per_sale(len(timed), log),
        calls(log),
    ]


def _per_sale(sales: int, log: RequestsLog) -> list[Finding]:
    named = {
        "reads of sessions per sale": requests_log.READ_SESSION,
        "reads of products per sale": requests_log.READ_PRODUCT,
        "writes of products per sale": requests_log.WRITE_PRODUCT,
    }
    each = {what: log.count(beginning) / sales for what, beginning in named.items()}
    return [Finding(what, f"{figure:.2f}", "≤ 1", figure <= 1) for what, figure in each.items()]


def _p99(values: list[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.99) - 1)]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
