"""The measurement: a day with the pipeline, two days without, and the start after that, which nobody helps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

import psycopg
from rich.console import Console

from bench.offline import absence, judge, mails, past
from bench.offline.absence import FEW, HOURS, Absence
from bench.offline.books import Keeper
from bench.offline.healing import Watch, services
from bench.offline.judge import Evidence
from bench.offline.site import Site, built
from bench.options import Options
from bench.results import WIDTH, keep
from bench.sync import ledger
from bench.sync.finding import Finding, table
from bench.sync.measure import LATENCY_MS, STRIPE_OVERALL, STRIPE_PER_ENDPOINT
from bench.sync.shop import Shop
from bench.sync.waiting import wait_for
from demo.stack import running
from shared import clock
from shared.database.embedded import EmbeddedPostgres
from shared.vocabulary import Size, Variant

IN_TIME: Final = 10
"""Sales before the absence."""
GIVEN_UP_WITHIN: Final = 600.0
"""Seconds in which the simulator gives up what it tries to deliver."""
AT_LEAST: Final = 300.0
SALES_A_SECOND: Final = 24
"""Seconds that healing may take, and what it must be worth beyond: 40 minutes for 50,000."""


def run(options: Options) -> bool:
    """Measure, show and keep the table; whether all targets were met."""
    with built() as site:
        found = _measure(site, options)
    shown = table(f"{HOURS} hours without the keeper, then its start", found)
    console = Console(width=max(WIDTH, Console().width))
    console.print(shown)
    keep(
        "offline",
        f"python -m bench offline --sales {options.sales} --products {options.products} --seed {options.seed}",
        f"all on one machine. The keeper is off for {HOURS} hours that pass within minutes, while customers buy and a "
        f"person edits. Then the simulator takes {LATENCY_MS} ms for every call and refuses more than "
        f"{STRIPE_PER_ENDPOINT} calls a second to an endpoint and {STRIPE_OVERALL} in all.",
        shown,
    )
    return all(finding.met is not False for finding in found)


def _measure(site: Site, options: Options) -> list[Finding]:
    random = Random(options.seed)
    with running(site.home, **site.settings):
        before = _first_day(site.shop, options.products, random)
    few, plenty = _by_plenty(site.shop)
    away = absence.plan(few, plenty, options.sales, random)
    began = clock.monotonic()
    _say(f"{options.sales:,} sales in {HOURS} hours, with nobody there")
    absence.play(site.shop, away)
    _say("Stripe tries what it has not given up yet")
    if not site.shop.rest(GIVEN_UP_WITHIN):
        raise RuntimeError("the simulator still tries to deliver webhooks")
    with EmbeddedPostgres(site.home) as address:
        past.move(address, timedelta(hours=HOURS))
        return judge.findings(_start(site, address, (before, away), began))


def _first_day(shop: Shop, products: int, random: Random) -> Counter[Variant]:
    """Open the shop, and sell a little; what was sold."""
    shop.open(products, FEW)
    _, plenty = _by_plenty(shop)
    sold = Counter(random.choices(plenty, k=IN_TIME))
    for variant, count in sold.items():
        shop.sell(variant, count)
    intended = shop.intended()
    if not (wait_for(60, lambda: shop.shown() == intended) and shop.rest(60)):
        raise RuntimeError("the first day's sales did not get to Stripe")
    return sold


def _by_plenty(shop: Shop) -> tuple[list[Variant], list[Variant]]:
    """The sizes of which there are few, and all others."""
    few = [Variant(product, Size("S")) for product in shop.products[: len(FEW)]]
    return few, [variant for variant in shop.variants if variant not in few]


def _start(site: Site, address: str, sales: tuple[Counter[Variant], Absence], began: float) -> Evidence:
    """Start the pipeline and leave it alone until it rests."""
    before, away = sales
    within = AT_LEAST + away.sold.total() / SALES_A_SECOND
    intended = {variant: max(0, units) for variant, units in site.shop.intended().items()}
    old = site.mails
    site.shop.live(LATENCY_MS, STRIPE_PER_ENDPOINT, STRIPE_OVERALL)
    _say("the pipeline starts")
    started = clock.monotonic()
    with running(site.home, **site.settings) as up, psycopg.connect(address, autocommit=True) as connection:
        keeper, whole = Keeper(connection), services(up.pid)
        healed = Watch(site.shop, keeper, intended, started).until_healed(within)
        end = site.shop.outcome()
        return Evidence(
            away,
            before + away.sold,
            within,
            started - began,
            healed,
            replace(end, intended=intended),
            ledger.read(address, site.shop.products),
            keeper.books(),
            {variant: site.shop.title(variant) for variant in away.few},
            mails.read(site.mails - old),
            whole,
            services(up.pid),
        )


def _say(what: str) -> None:
    print(what, flush=True)
