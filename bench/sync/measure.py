"""The measurement: each part on a pipeline of its own against a Stripe with its limits and a latency."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.options import Options
from bench.results import WIDTH, keep
from bench.sync import edits, idle, ledger, rush
from bench.sync.finding import Finding, table
from bench.sync.stage import Stage, built

LATENCY_MS: Final = 100
STRIPE_PER_ENDPOINT, STRIPE_OVERALL = 25, 100  # calls a second, as Stripe allows a live account
EDITING_SALES_A_SECOND: Final = 80

Part = Callable[[Stage, Options, Random], list[Finding]]


def _idle(stage: Stage, options: Options, random: Random) -> list[Finding]:
    _open(stage, idle.PRODUCTS)
    timed = idle.play(stage.shop, max(20, options.sales // 100), random)
    stage.shop.rest(60)
    return idle.findings(timed, stage.shop.log(), LATENCY_MS / 1000)


def _hot(stage: Stage, options: Options, _random: Random) -> list[Finding]:
    _open(stage, 1)
    return rush.hot(stage.shop, options.sales // 10)


def _drain(stage: Stage, options: Options, random: Random) -> list[Finding]:
    _open(stage, options.products)
    return rush.drain(stage.shop, options.sales, random)


def _edits(stage: Stage, options: Options, random: Random) -> list[Finding]:
    _open(stage, max(1, options.products // 4))
    sales = options.sales // 2
    counts = (sales, sales // 10)
    day = edits.plan(stage.shop.variants, counts, sales / EDITING_SALES_A_SECOND, random)
    edits.play(stage.shop, day)
    return edits.findings(day, stage.shop.outcome(), ledger.read(stage.database, stage.shop.products))


PARTS: Final[Mapping[str, Part]] = {"idle": _idle, "hot": _hot, "drain": _drain, "edits": _edits}
_TITLES: Final[Mapping[str, str]] = {
    "idle": "Single sales with pauses, from the payment to the number in Stripe",
    "hot": "Sales of one product, delivered at once",
    "drain": "Sales all over the shop, delivered at once",
    "edits": "Sales and Dashboard edits at the same time",
}


def run(options: Options) -> bool:
    """Measure the parts asked for; show and keep the table of each; whether all targets were met."""
    console = Console(width=max(WIDTH, Console().width))
    met = True
    for name in options.parts or PARTS:
        with built(rabbitmq=options.rabbitmq) as stage:
            found = PARTS[name](stage, options, Random(options.seed))
        shown = table(_TITLES[name], found)
        console.print(shown)
        _keep(name, options, shown)
        met = met and all(finding.met is not False for finding in found)
    return met


def _open(stage: Stage, products: int) -> None:
    stage.shop.open(products)
    stage.shop.live(LATENCY_MS, STRIPE_PER_ENDPOINT, STRIPE_OVERALL)


def _keep(name: str, options: Options, shown: Table) -> None:
    section = f"sync {name}, {'RabbitMQ' if options.rabbitmq else 'embedded queue'}"
    command = f"python -m bench sync --parts {name} --sales {options.sales} --products {options.products}"
    command += f" --seed {options.seed}{' --rabbitmq' if options.rabbitmq else ''}"
    keep(
        section,
        command,
        "all services, the database, the simulator and the load on one machine. The simulator takes "
        f"{LATENCY_MS} ms for every call and refuses more than {STRIPE_PER_ENDPOINT} calls a second to an "
        f"endpoint and {STRIPE_OVERALL} in all.",
        shown,
    )
