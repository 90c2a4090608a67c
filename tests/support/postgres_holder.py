"""An embedded server in a new folder until the standard input ends: `python -m tests.support.postgres_holder`.

Whoever starts it holds the other end, so that neither server nor folder outlives a run of the tests that was killed.
"""

from __future__ import annotations

import sys

from shared.database.embedded import EmbeddedPostgres
from tests.support.postgres import home_folder

if __name__ == "__main__":
    with home_folder() as home, EmbeddedPostgres(home) as address:
        sys.stdout.write(f"{home} {address}\n")
        sys.stdout.flush()
        sys.stdin.read()
