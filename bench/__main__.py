"""`python -m bench [NAME …]`: run all measurements, or those that are named."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bench.webhooks import compare

BENCHES: Final[Mapping[str, Callable[[], str]]] = {"webhooks": compare.run}
RESULTS: Final = Path(__file__).parent / "results.md"


def main() -> None:
    """Print each table, and keep all of them in `bench/results.md`."""
    wanted = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in wanted if name not in BENCHES]
    if unknown:
        sys.exit(f"bench: no such measurement: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    reports = [BENCHES[name]() for name in wanted]
    RESULTS.write_text("# Results of the last run\n\n" + "\n".join(reports), encoding="utf-8")


if __name__ == "__main__":
    main()
