"""`python -m services.backoffice`: the web pages; with arguments the `stocksync` command where it is not installed."""

from __future__ import annotations

import sys

from services.backoffice.cli.main import main

if __name__ == "__main__":
    main(sys.argv[1:] or ["pages"])
