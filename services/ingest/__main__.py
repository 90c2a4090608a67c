"""The composition root of the webhook door: `python -m services.ingest`."""

from __future__ import annotations

import functools
import sys

from services.ingest import server
from services.ingest.app import Application
from services.ingest.decide import Policy
from services.ingest.metrics import Board, Metrics
from services.ingest.publishing import PublishingBroker
from services.ingest.settings import IngestSettings
from services.ingest.signature import Verifier
from shared import lifeline, logs
from shared.broker.connect import connect
from shared.settings import WRONG_SETTING, load
from shared.topology import PIPELINE


def build(settings: IngestSettings, broker: PublishingBroker, metrics: Metrics) -> Application:
    """The application that `settings` describe, publishing to `broker`."""
    verifier = Verifier(settings.secrets(), settings.webhook_tolerance)
    return Application(verifier, Policy(settings.livemode, settings.accounts), broker, metrics)


def start(settings: IngestSettings, board: Board) -> Application:
    """The application with a broker of its own; called inside each worker process."""
    logs.configure("ingest", settings.log_level)
    return build(settings, connect(settings, PIPELINE), Metrics(board, board.claim()))


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
    size = server.Size(settings.ingest_workers, settings.ingest_requests)
    server.serve(functools.partial(start, settings, Board()), settings.host_and_port, size)


if __name__ == "__main__":
    run()
