"""The Flask application: health, metrics and errors; its `wsgi_app` has the webhook door in front."""

from __future__ import annotations

from typing import cast

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from services.ingest.decide import Policy
from services.ingest.health import readiness
from services.ingest.metrics import CONTENT_TYPE, Metrics
from services.ingest.publishing import Publisher
from services.ingest.signature import Verifier
from services.ingest.webhooks import Door
from shared.broker.port import Broker
from shared.vocabulary import account_key


def create(verifier: Verifier, policy: Policy, broker: Broker, metrics: Metrics) -> Flask:
    """The application on `broker`; connects to nothing by itself."""
    app = Flask("stocksync.ingest", static_folder=None)
    _add_views(app, broker, metrics)
    publisher = Publisher(broker, account_key(None, livemode=policy.livemode))
    door = Door(app.wsgi_app, verifier, policy, publisher, metrics)
    app.wsgi_app = door  # pyright: ignore[reportAttributeAccessIssue] - Flask's documented way to wrap an application
    return app


def _add_views(app: Flask, broker: Broker, metrics: Metrics) -> None:
    def healthz() -> Response:
        return _text(200, "alive\n")

    def readyz() -> Response:
        return _text(*readiness(broker))

    def exposition() -> Response:
        return Response(metrics.exposition(), content_type=CONTENT_TYPE)

    def error(problem: Exception) -> Response:
        """Say what went wrong without repeating anything of the request."""
        known = cast("HTTPException", problem)
        return _text(known.code or 500, f"{known.name.lower()}\n")

    for path, view in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", exposition)):
        app.add_url_rule(path, view.__name__, view, methods=["GET"])
    app.register_error_handler(HTTPException, error)


def _text(status: int, text: str) -> Response:
    return Response(text, status=status, content_type="text/plain; charset=utf-8")
