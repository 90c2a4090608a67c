"""`python -m services.backoffice`: the `stocksync` command where it is not installed."""

from __future__ import annotations

from services.backoffice.cli.main import main

if __name__ == "__main__":
    main()
