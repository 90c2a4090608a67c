"""`python -m bench [NAME …] [--rounds N] [--seconds N]`: measure; exit code 1 where a target was missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Final

from bench.webhooks import measure

BENCHES: Final[Mapping[str, Callable[[int, int], bool]]] = {"webhooks": measure.run}


def main() -> int:
    """Run the measurements that are named, or all; each prints its table and keeps it in `bench/results.md`."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)}; all without")
    parser.add_argument("--rounds", type=int, default=3, choices=range(1, 21), metavar="N")
    parser.add_argument("--seconds", type=int, default=6, choices=range(1, 61), metavar="N")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHES]
    if unknown:
        parser.error(f"no such measurement: {', '.join(unknown)}")
    met = [BENCHES[name](chosen.rounds, chosen.seconds) for name in chosen.names or BENCHES]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
