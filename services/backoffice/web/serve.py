"""The process of the web pages: waitress around the application, until told to stop."""

from __future__ import annotations

import sys
from contextlib import closing
from threading import Thread
from typing import Final

from flask import Flask
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from services.backoffice.operations import people
from services.backoffice.operations.reports.stock import Ledger
from services.backoffice.settings import PagesSettings
from services.backoffice.web.app import create
from services.backoffice.web.office import Office, Storefront
from shared import logs
from shared.broker.connect import connect
from shared.database.pool import Database
from shared.process import stop_event
from shared.settings import WRONG_SETTING
from shared.vocabulary import AccountKey

THREADS: Final = 8
log = logs.get(__name__)


def serve(settings: PagesSettings, database: Database, account: AccountKey) -> None:
    """Answer until SIGTERM or SIGINT; exit code 2 where the address is taken. Raises Refused, DatabaseOutage."""
    password = settings.backoffice_password
    people.admit(database, password.get_secret_value() if password else None)
    ledger = Ledger(database, account, settings.low_stock_threshold)
    with closing(connect(settings)) as broker:
        app = create(Office(ledger, broker, settings.zone, settings.origin, _storefront(settings)))
        server = _listening(app, settings.backoffice_bind)
        stop = stop_event()
        Thread(target=server.run, name="pages", daemon=True).start()
        log.info("pages_ready", address=settings.origin)
        stop.wait()
        server.close()


def _storefront(settings: PagesSettings) -> Storefront | None:
    origins = frozenset(filter(None, settings.storefront_origins.split(",")))
    return Storefront(origins, units=settings.storefront_shows == "units") if origins else None


def _listening(app: Flask, bind: str) -> MultiSocketServer | BaseWSGIServer:
    host, _, port = bind.rpartition(":")
    try:
        return create_server(app, host=host.strip("[]"), port=int(port), threads=THREADS, ident="stocksync")
    except OSError as error:
        sys.stderr.write(f"stocksync: BACKOFFICE_BIND: {bind}: {error.strerror}\n")
        raise SystemExit(WRONG_SETTING) from None
