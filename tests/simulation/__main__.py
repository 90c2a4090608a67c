"""Play many schedules on all cores: `python -m tests.simulation 100000`, or one: `--seed 17`."""

from __future__ import annotations

import argparse
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from shared import clock
from tests.simulation.campaign import campaign, quiet, shortest
from tests.simulation.world import SLANG

RECORD = Path(__file__).parents[2] / "docs" / "simulation-record.md"


def main() -> int:
    """The exit code: 1 where an invariant failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("schedules", nargs="?", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one, with its shortest trace if it fails")
    parser.add_argument("--record", action="store_true", help=f"add the result to {RECORD.name}")
    parser.add_argument(
        "--odd", type=float, default=1, help="people's slips, backups and deletions so many times as often"
    )
    parser.add_argument(
        "--slang", type=float, default=SLANG, help="the share of sold lines that are placed by an alias"
    )
    arguments = parser.parse_args()
    world = {"odd": arguments.odd, "slang": arguments.slang}
    quiet()
    if arguments.seed is not None:
        trace = shortest(arguments.seed, **world)
        print(trace or f"seed {arguments.seed} holds")
        return bool(trace)
    begun = clock.monotonic()
    seeds = range(arguments.first, arguments.first + arguments.schedules)
    failures = campaign(seeds, progress=True, **world)
    seconds = clock.monotonic() - begun
    rate = arguments.schedules / seconds
    result = f"{arguments.schedules:,} schedules from seed {arguments.first}: {len(failures)} violations"
    print(f"{result}, {rate:.0f} schedules a second on {os.cpu_count()} cores")
    for seed, what in sorted(failures.items())[:20]:
        print(f"  seed {seed}: {what}")
    if failures:
        print(shortest(min(failures), **world))
    if arguments.record:
        seeds_played = f"{arguments.schedules:,} from seed {arguments.first:,}"
        _record(seeds_played + (f", odd {arguments.odd:g}" if arguments.odd != 1 else ""), len(failures))
    return bool(failures)


def _record(played: str, failures: int) -> None:
    """Add a row to the page of long runs."""
    git = ["git", "rev-parse", "--short=12", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    row = f"| {datetime.now(UTC):%Y-%m-%d} | `{commit}` | {played} | {failures} |"
    lines = RECORD.read_text(encoding="utf-8").splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("| 20"))
    lines.insert(last + 1, row)
    RECORD.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
