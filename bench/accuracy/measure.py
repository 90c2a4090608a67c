"""The measurement: verifications of a busy shop must find nothing, those of a spoiled one everything."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from rich.console import Console

from bench.accuracy import corruptions, verdict
from bench.accuracy.crowd import EDITS, POPULAR, SALES, Crowd, busy
from bench.accuracy.verdict import Spoiled, Told
from bench.accuracy.verifier import Run, Verifier, verifying
from bench.options import Options
from bench.results import WIDTH, keep
from bench.sync.finding import Finding, equal, table, within_limits
from bench.sync.measure import LATENCY_MS, STRIPE_OVERALL, STRIPE_PER_ENDPOINT
from bench.sync.requests_log import RequestsLog
from bench.sync.shop import SIZES, Counts, Numbers, Outcome, Shop
from bench.sync.stage import built
from bench.sync.waiting import wait_for
from shared import clock
from shared.vocabulary import Size, Variant

CORRUPTIONS: Final = 100
RUNS_AFTER: Final = 2
ENOUGH_RUNS: Final = 20  # fewer may find nothing in transit
CONFIRM_SECONDS: Final = 2
LATE, LATE_SECONDS = 0.25, 1.0  # that share of the webhooks of products comes so late
THREADS: Final = 16
KEEPS_UP: Final = 30.0  # seconds for the last changes to reach Stripe: more, and a queue has grown
SETTLE_SECONDS: Final = 600.0
NEARLY: Final = 0.99  # of the pace that is wanted: the crowd counts whole spans

SETTINGS: Final = {
    "VERIFY_CONFIRM_SECONDS": str(CONFIRM_SECONDS),
    "STOCK_WORKER_THREADS": str(THREADS),
    "JOB_RECOVER": "off",  # so that nothing but verifications finds anything
}

CIRCUMSTANCES: Final = (
    f"all services, the database, the simulator and the load on one machine. Products of {len(SIZES)} sizes; one in "
    f"{POPULAR} has half of all changes. {CONFIRM_SECONDS} s between two looks, {THREADS} threads of the stock worker. "
    f"{LATE:.0%} of the webhooks of products come {LATE_SECONDS:g} s late. The simulator takes {LATENCY_MS} ms for "
    f"every call and refuses more than {STRIPE_PER_ENDPOINT} calls a second to an endpoint and {STRIPE_OVERALL} in all."
)


def run(options: Options) -> bool:
    """Measure both parts; show and keep the table; whether all targets were met."""
    console = Console(width=max(WIDTH, Console().width))
    with built(rabbitmq=False, **SETTINGS) as stage, verifying(stage.database) as verifier:
        _open(stage.shop, options.products)
        busy_shop = _while_busy(stage.shop, verifier, options)
        told = verifier.told()
        spoiled = _spoiled(stage.shop, verifier, Random(options.seed))
        found = [*busy_shop, *spoiled, *_calls(stage.shop.counts())]
    for one in told:
        console.print(f"false alarm: {one.cause} {one.product} {one.detail}", highlight=False)
    shown = table("Verifications of a busy shop, then of a spoiled one", found)
    console.print(shown)
    command = (
        f"python -m bench accuracy --runs {options.runs} --products {options.products} --seed {options.seed}"
    )
    keep("accuracy", command, CIRCUMSTANCES, shown)
    return all(one.met is not False for one in found)


def _open(shop: Shop, products: int) -> None:
    """Every product is known and bears the keeper's mark: one of each was sold."""
    shop.open(products)
    shop.hold(held=True)
    for product in shop.products:
        shop.sell(Variant(product, Size(SIZES[0])))
    shop.hold(held=False)
    shop.rest(60 + products)
    shop.live(LATENCY_MS, STRIPE_PER_ENDPOINT, STRIPE_OVERALL)


def _while_busy(shop: Shop, verifier: Verifier, options: Options) -> list[Finding]:
    late = shop.webhooks_of_products("webhook_delay", probability=LATE, seconds=LATE_SECONDS)
    with late, busy(shop, Random(options.seed)) as crowd:
        runs = [verifier.run() for _ in range(options.runs)]
    began = clock.monotonic()
    intended = shop.intended()
    reached = wait_for(SETTLE_SECONDS, lambda: shop.shown() == intended)
    seconds = clock.monotonic() - began
    shop.rest(60)
    return [
        Finding("verifications while it was busy", str(len(runs))),
        *_of_the_crowd(crowd),
        *_of_the_runs(runs, options.products),
        _alarms(verifier.told()),
        Finding(
            "from the last change to its number",
            f"{seconds:.1f} s" if reached else "never",
            f"≤ {KEEPS_UP:g} s",
            reached and seconds <= KEEPS_UP,
        ),
        equal(Outcome(shop.shown(), intended, RequestsLog(()))),
    ]


def _of_the_crowd(crowd: Crowd) -> list[Finding]:
    wanted = SALES + EDITS
    whole = f"{crowd.changes:,}: {crowd.sales:,} sales, {crowd.edits:,} edits, {crowd.forms:,} by whole forms"
    return [
        Finding("changes meanwhile", whole),
        Finding("… a second", f"{crowd.pace:.1f}", f"≥ {wanted}", crowd.pace >= NEARLY * wanted),
    ]


def _of_the_runs(runs: Sequence[Run], products: int) -> list[Finding]:
    seconds = [one.seconds for one in runs]
    whole = sum(one.count("products") == products for one in runs)
    candidates = sum(one.count("candidates") for one in runs)
    undecided = sum(one.count("undecided") for one in runs)
    sound = candidates - undecided
    cleared = sound > 0 if len(runs) >= ENOUGH_RUNS else None
    return [
        Finding(f"runs that compared {products:,} products", str(whole), "all", whole == len(runs)),
        Finding("seconds of a run", f"{statistics.median(seconds):.1f}, at most {max(seconds):.1f}"),
        Finding("candidates that the looks cleared", f"{sound:,}", "> 0", cleared),
        Finding("… that changed meanwhile, left to the next run", f"{undecided:,}"),
    ]


def _alarms(told: Sequence[Told]) -> Finding:
    return Finding("false alarms", str(len(told)), "0", not told)


def _spoiled(shop: Shop, verifier: Verifier, random: Random) -> list[Finding]:
    count = min(CORRUPTIONS, len(shop.products) // 2)
    before = max((one.number for one in verifier.told()), default=0)
    spoiled = corruptions.inject(shop, verifier.database, count, random)
    told: list[list[Told]] = []
    for _ in range(RUNS_AFTER):
        verifier.run()
        told.append(verifier.told(after=before))
    shop.rest(60)
    others = _without(shop.shown(), spoiled), _without(shop.intended(), spoiled)
    exact = replace(equal(Outcome(*others, RequestsLog(()))), what="their sizes that equal the oracle")
    return [*verdict.findings(spoiled, told), exact]


def _without(numbers: Numbers, spoiled: Spoiled) -> Numbers:
    return {variant: units for variant, units in numbers.items() if variant.product not in spoiled}


def _calls(counts: Counts) -> list[Finding]:
    peaks = {endpoint: peak for endpoint, peak in counts.peaks.items() if endpoint != "*"}
    busiest = max(peaks.items(), key=lambda pair: pair[1])
    each = sorted(counts.by_endpoint.items(), key=lambda pair: -pair[1])
    return [
        Finding("calls", ", ".join(f"{count:,} {one.replace('/v1/', '')}" for one, count in each)),
        *within_limits(counts.refused, busiest, counts.peaks["*"]),
    ]
