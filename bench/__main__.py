"""`python -m bench [NAME …]`: measure; exit code 1 where a target was missed. `bench/README.md` has the rest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from bench.accuracy import measure as accuracy
from bench.offline import measure as offline
from bench.options import Options
from bench.pages import measure as pages
from bench.sync import measure as sync
from bench.verify import measure as verify
from bench.webhooks import measure as webhooks

BENCHES: Final[Mapping[str, Callable[[Options], bool]]] = {
    "webhooks": webhooks.run,
    "sync": sync.run,
    "verify": verify.run,
    "accuracy": accuracy.run,
    "offline": offline.run,
    "pages": pages.run,
}
PRODUCTS: Final[Mapping[str, int]] = {"verify": 5000, "accuracy": 2000, "pages": 5000}
SALES: Final[Mapping[str, int]] = {"offline": 50_000}
"""How many by default, where it is not what `Options` says."""


def main() -> int:
    """Run the measurements that are named, or all; each prints its table and keeps it in `bench/results.md`."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)}; all without")
    _options(parser)
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHES]
    if unknown:
        parser.error(f"no such measurement: {', '.join(unknown)}")
    options = Options(
        rounds=chosen.rounds,
        seconds=chosen.seconds,
        runs=chosen.runs,
        parts=tuple(chosen.parts),
        rabbitmq=chosen.rabbitmq,
        seed=chosen.seed,
    )
    met = [
        BENCHES[name](
            replace(
                options,
                products=chosen.products or PRODUCTS.get(name, options.products),
                sales=chosen.sales or SALES.get(name, options.sales),
            )
        )
        for name in chosen.names or BENCHES
    ]
    return 0 if all(met) else 1


def _options(parser: argparse.ArgumentParser) -> None:
    usual = Options()
    webhook = parser.add_argument_group("webhooks")
    webhook.add_argument("--rounds", type=int, default=usual.rounds, choices=range(1, 21), metavar="N")
    webhook.add_argument("--seconds", type=int, default=usual.seconds, choices=range(1, 61), metavar="N")
    chain = parser.add_argument_group("sync")
    chain.add_argument(
        "--sales", type=int, choices=range(100, 100_001), metavar="N", help="of the drain, or while offline"
    )
    chain.add_argument(
        "--products",
        type=int,
        choices=range(4, 100_001),
        metavar="N",
        help="of the drain (at most 1000), to verify, of accuracy, or of the shop that was offline",
    )
    chain.add_argument("--parts", nargs="+", default=[], choices=tuple(sync.PARTS), help="all without")
    chain.add_argument("--rabbitmq", action="store_true", help="messages in RabbitMQ, not in PostgreSQL")
    chain.add_argument("--seed", type=int, default=usual.seed)
    exact = parser.add_argument_group("accuracy")
    exact.add_argument(
        "--runs", type=int, default=usual.runs, choices=range(1, 1001), metavar="N", help="verifications"
    )


if __name__ == "__main__":
    sys.exit(main())
