"""The composition root of the webhook door: `python -m services.ingest`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from services.ingest import app, server
from services.ingest.decide import Policy
from services.ingest.metrics import Board, Metrics
from services.ingest.settings import IngestSettings
from services.ingest.signature import Verifier
from shared import lifeline, logs
from shared.broker.connect import connect
from shared.broker.port import Broker
from shared.settings import WRONG_SETTING, load
from shared.topology import PIPELINE

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from flask import Flask


def build(settings: IngestSettings, broker: Broker, metrics: Metrics) -> Flask:
    """The application that `settings` describe, publishing to `broker`."""
    verifier = Verifier(settings.secrets(), settings.webhook_tolerance)
    return app.create(verifier, Policy(settings.livemode, settings.accounts), broker, metrics)


def start(settings: IngestSettings, board: Board) -> tuple[WSGIApplication, Callable[[], None]]:
    """The application with a broker of its own, and what closes it; called inside each worker process."""
    logs.configure("ingest", settings.log_level)
    broker = connect(settings, PIPELINE)
    return build(settings, broker, Metrics(board, board.claim())), broker.close


def run() -> None:
    """Serve webhooks until told to stop; a wrong setting is one line and exit code 2."""
    settings = load(IngestSettings)
    logs.configure("ingest", settings.log_level)
    try:
        settings.secrets()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"stocksync: STOCKSYNC_HOME: {error}\n")
        raise SystemExit(WRONG_SETTING) from None
    lifeline.hold()
    size = server.Size(settings.ingest_workers, settings.ingest_threads)
    server.serve(functools.partial(start, settings, Board()), settings.host_and_port, size)


if __name__ == "__main__":
    run()
