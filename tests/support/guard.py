"""Ends a RabbitMQ node of a run of the tests that was killed: `python -m tests.support.guard FOLDER`.

Whoever starts it holds its standard input; when that ends, all processes of the node in FOLDER are killed, and the
folder is removed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.support.rabbitmq_local import kill_all

if __name__ == "__main__":
    sys.stdin.read()
    kill_all(Path(sys.argv[1]))
    shutil.rmtree(sys.argv[1], ignore_errors=True)
