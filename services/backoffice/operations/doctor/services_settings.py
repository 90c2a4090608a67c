"""Asks services whether they accept their settings, in a process that reads these for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
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
refused = 0
for module, name in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    try:
        load(getattr(import_module(module), name))
    except SystemExit as refusal:
        refused = refusal.code
raise SystemExit(refused)
"""


def complaints(readers: Sequence[Reader]) -> list[str]:
    """What services say of settings they refuse, `NAME: what it must be`, each once; empty if nothing."""
    names = [part for reader in readers for part in (reader.module, reader.name)]
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *names],
        env=child_environment(STOCKSYNC_LIFELINE=None),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if ended.returncode == 0:
        return []
    lines = ended.stderr.splitlines()
    told = list(dict.fromkeys(line.removeprefix(_MARK) for line in lines if line.startswith(_MARK)))
    return told or [f"the services' settings can't be read (exit code {ended.returncode})"]
