"""A process that uses the embedded server under HOME until its standard input ends: `starter.py HOME`."""

from __future__ import annotations

import sys
from pathlib import Path

from shared.database.embedded import EmbeddedPostgres

if __name__ == "__main__":
    with EmbeddedPostgres(Path(sys.argv[1])) as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        sys.stdin.read()
