"""Forks itself into `stocksync` for each line it reads; `tests.support.command` writes them."""

from __future__ import annotations

import gc
import json
import os
import sys
from importlib import import_module
from typing import Any

from services.backoffice.cli.lazy import PACKAGE
from services.backoffice.cli.main import PLACES, main


def serve() -> None:
    """Answer each line with the exit code of the command it orders; all of them have been imported by then."""
    for module in set(PLACES.values()):
        import_module(f"{PACKAGE}.{module}")
    gc.collect()
    gc.freeze()  # else each child looks through all of that as it ends, which takes longer than most commands
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(order: dict[str, Any]) -> None:
    """Be the command; ends this process as the command's own would end."""
    os.environ.clear()
    os.environ.update(order["environment"])
    for number, file in enumerate((os.devnull, order["output"], order["errors"])):
        os.dup2(os.open(file, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT), number)
    os.chdir(order["folder"])
    sys.argv = ["stocksync", *order["arguments"]]
    main()


if __name__ == "__main__":
    serve()
