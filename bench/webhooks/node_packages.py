"""Express, amqplib and stripe from npm, in a folder under `var/` that is never committed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from bench.webhooks.processes import BIN
from shared.settings import child_environment

FOLDER: Final = Path("var/bench/node").absolute()
PACKAGES: Final = ("express", "amqplib", "stripe")


def installed() -> bool:
    """Whether the packages are there, installed now if need be; False says why on the terminal."""
    modules = FOLDER / "node_modules"
    if all((modules / name).is_dir() for name in PACKAGES):
        return True
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = [str(BIN / "npm"), "install", "--prefix", str(FOLDER), "--no-audit", "--no-fund", *PACKAGES]
    done = subprocess.run(
        command, env=child_environment(PATH=search_path()), capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"express + amqplib is left out, npm failed:\n{done.stderr[-1000:]}")
    return done.returncode == 0


def search_path() -> str:
    """PATH with the virtual environment's node in front."""
    return f"{BIN}:{child_environment().get('PATH', '')}"
