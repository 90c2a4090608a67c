"""The process of the web pages: waitress around the application, until told to stop."""

from __future__ import annotations

import sys
from contextlib import closing
from threading import Thread
from typing import Final, NoReturn

from flask import Flask
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from services.backoffice.operations import people
from services.backoffice.operations.passwords import WeakPassword
from services.backoffice.operations.reports.stock import Ledger
from services.backoffice.settings import PagesSettings
from services.backoffice.supervisor.addresses import resolve
from services.backoffice.web.app import LARGEST_FORM, create
from services.backoffice.web.office import Office, Storefront
from shared import logs, paced_stripe
from shared.broker.connect import connect
from shared.database.pool import Database
from shared.process import stop_event
from shared.settings import WRONG_SETTING
from shared.vocabulary import AccountKey

THREADS: Final = 8
LARGEST_HEADERS: Final = 32_768  # bytes
CONNECTIONS: Final = 400
SILENCE: Final = 30  # seconds after which a connection that says nothing is closed
log = logs.get(__name__)


def serve(settings: PagesSettings, database: Database, account: AccountKey) -> None:
    """Answer until SIGTERM or SIGINT; exit code 2 where nobody could log in. Raises Taken, DatabaseOutage."""
    settings = settings.model_copy(
        update={"backoffice_bind": resolve("BACKOFFICE_BIND", settings.backoffice_bind)}
    )
    _admit(settings, database)
    ledger = Ledger(database, account, settings.low_stock_threshold)
    stop = stop_event()
    stripe = paced_stripe.connect(settings, database, stop)
    with closing(connect(settings)) as broker:
        office = Office(ledger, broker, settings.zone, settings.origin, stripe, _storefront(settings))
        server = listening(create(office), settings.backoffice_bind, behind_proxy=office.speaks_tls)
        Thread(target=server.run, name="pages", daemon=True).start()
        log.info("pages_ready", address=settings.origin)
        stop.wait()
        server.close()


def _storefront(settings: PagesSettings) -> Storefront | None:
    origins = frozenset(filter(None, settings.storefront_origins.split(",")))
    return Storefront(origins, units=settings.storefront_shows == "units") if origins else None


def _admit(settings: PagesSettings, database: Database) -> None:
    password = settings.backoffice_password
    try:
        people.admit(database, password.get_secret_value() if password else None)
    except (people.NobodyCanLogIn, WeakPassword) as error:
        _end(f"BACKOFFICE_PASSWORD: {error}")


def listening(app: Flask, bind: str, *, behind_proxy: bool) -> MultiSocketServer | BaseWSGIServer:
    """A server of `app` at `bind`, not yet running; exit code 2 where the address is taken.

    A proxy says for whom it asks; without one nobody is believed that.
    """
    host, _, port = bind.rpartition(":")
    try:
        return create_server(
            app,
            host=host.strip("[]"),
            port=int(port),
            threads=THREADS,
            ident="stocksync",
            max_request_body_size=2 * LARGEST_FORM,  # it is read before anybody asks who sends it
            max_request_header_size=LARGEST_HEADERS,
            connection_limit=CONNECTIONS,
            channel_timeout=SILENCE,
            clear_untrusted_proxy_headers=not behind_proxy,
        )
    except OSError as error:
        _end(f"BACKOFFICE_BIND: {bind} can't be used: {error.strerror}")


def _end(line: str) -> NoReturn:
    sys.stderr.write(f"stocksync: {line}\n")
    raise SystemExit(WRONG_SETTING)
