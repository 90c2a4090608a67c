"""Asks every service whether it accepts its settings, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from shared.settings import child_environment

PATIENCE: Final = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Reader:
    """A service's settings: the module and the class."""

    module: str
    name: str


INGEST: Final = Reader("services.ingest.settings", "IngestSettings")
WORKERS: Final = (
    Reader("services.stock_worker.settings", "StockWorkerSettings"),
    Reader("services.reconciler.settings", "ReconcilerSettings"),
    Reader("services.notifier.settings", "NotifierSettings"),
)
SIMULATOR: Final = Reader("services.stripe_simulator.settings", "SimulatorSettings")
_MARK: Final = "stocksync: "
_PROGRAM: Final = """
import sys
from importlib import import_module
from shared.settings import load
load(getattr(import_module(sys.argv[1]), sys.argv[2]))
"""


def complaints(readers: Sequence[Reader]) -> list[str]:
    """What services say of settings they refuse, `NAME: what it must be`, each once; empty if nothing."""
    with ThreadPoolExecutor(len(readers)) as pool:
        said = pool.map(_ask, readers)
    return list(dict.fromkeys(line for lines in said for line in lines))


def _ask(reader: Reader) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM, reader.module, reader.name],
        env=child_environment(STOCKSYNC_LIFELINE=None),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if ended.returncode == 0:
        return []
    lines = ended.stderr.splitlines()
    told = [line.removeprefix(_MARK) for line in lines if line.startswith(_MARK)]
    return told or [f"{reader.module} can't be read (exit code {ended.returncode})"]
