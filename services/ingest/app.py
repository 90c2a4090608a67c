"""What is served: the webhook door in front, and behind it Flask with health, metrics and errors."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, cast
from wsgiref.util import setup_testing_defaults

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from services.ingest.body import Room
from services.ingest.decide import Policy
from services.ingest.health import readiness
from services.ingest.metrics import CONTENT_TYPE, Metrics
from services.ingest.publishing import CONFIRM_WITHIN, Publisher, PublishingBroker
from services.ingest.rsgi import Exchange, Pairs, Scope
from services.ingest.signature import Verifier
from services.ingest.webhooks import Door
from shared.broker.port import AsyncPublisher
from shared.vocabulary import account_key
from shared.webhook_events import PATH

FLASK_THREADS: Final = 4
_LATIN: Final = "latin-1"  # how WSGI passes a path's bytes


class Application:
    """An RSGI application on `broker`, which it connects to when its event loop is known."""

    def __init__(
        self, verifier: Verifier, policy: Policy, broker: PublishingBroker, metrics: Metrics
    ) -> None:
        self._verifier = verifier
        self._policy = policy
        self._broker = broker
        self._metrics = metrics
        # Its own threads: a view waits for the broker, whose ping may need one of the loop's.
        self._threads = ThreadPoolExecutor(FLASK_THREADS, thread_name_prefix="flask")
        self._loop: AbstractEventLoop
        self._publisher: AsyncPublisher
        self._door: Door
        self._flask: Flask

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        """Called inside a worker process, before its first request."""
        self._loop = loop
        self._publisher = self._broker.on_loop(loop, within=CONFIRM_WITHIN)
        publisher = Publisher(self._publisher, account_key(None, livemode=self._policy.livemode))
        self._door = Door(self._verifier, self._policy, publisher, self._metrics, Room())
        self._flask = create(self._metrics, self._ping)

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        """Answer one request."""
        if scope.path == PATH:
            await self._door.answer(scope, exchange)
            return
        environ: dict[str, object] = {"REQUEST_METHOD": scope.method, "QUERY_STRING": scope.query_string}
        environ["PATH_INFO"] = scope.path.encode().decode(_LATIN)
        answer = await self._loop.run_in_executor(self._threads, _answer, self._flask, environ)
        exchange.response_bytes(*answer)

    def __rsgi_del__(self, loop: AbstractEventLoop) -> None:
        """Called after the last answer, with the loop at rest."""
        loop.run_until_complete(self._publisher.close())
        self._broker.close()
        self._threads.shutdown(wait=False)

    def _ping(self) -> None:
        """Return if a publish could be confirmed now; raises BrokerDown. From a thread beside the loop."""
        asyncio.run_coroutine_threadsafe(self._publisher.ping(), self._loop).result()


def create(metrics: Metrics, ping: Callable[[], None]) -> Flask:
    """Everything but the webhooks; `ping` raises an Outage where one could not be accepted now."""
    app = Flask("stocksync.ingest", static_folder=None)

    def healthz() -> Response:
        return _text(200, "alive\n")

    def readyz() -> Response:
        return _text(*readiness(ping))

    def exposition() -> Response:
        return Response(metrics.exposition(), content_type=CONTENT_TYPE)

    def error(problem: Exception) -> Response:
        """Say what went wrong without repeating anything of the request."""
        known = cast("HTTPException", problem)
        return _text(known.code or 500, f"{known.name.lower()}\n")

    for path, view in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", exposition)):
        app.add_url_rule(path, view.__name__, view, methods=["GET"])
    app.register_error_handler(HTTPException, error)
    return app


def _answer(app: Flask, environ: dict[str, object]) -> tuple[int, Pairs, bytes]:
    setup_testing_defaults(environ)  # what WSGI demands besides; none of our views looks at it
    response = Response.from_app(app, environ, buffered=True)
    return response.status_code, list(response.headers), response.get_data()


def _text(status: int, text: str) -> Response:
    return Response(text, status=status, content_type="text/plain; charset=utf-8")
