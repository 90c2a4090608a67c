"""The composition root of the notifier: `python -m services.notifier`."""

from __future__ import annotations

from functools import partial
from threading import Event

from services.notifier import handlers
from services.notifier.mail import Mailer
from services.notifier.mailer import SmtpMailer
from services.notifier.mailer_folder import FolderMailer
from services.notifier.mailing import Desk
from services.notifier.postman import Postman
from services.notifier.pushing import Pushing
from services.notifier.settings import NotifierSettings
from shared import logs, worker
from shared.broker import runtime
from shared.broker.connect import connect
from shared.broker.port import Subscription
from shared.database import migrate
from shared.database.connect import dsn
from shared.database.pool import Database
from shared.topology import ALERTS
from shared.worker import Worker

log = logs.get(__name__)


def build(settings: NotifierSettings, stop: Event) -> Worker:
    """The notifier that `settings` describe; raises WrongDatabase, an Outage."""
    address = dsn(settings)
    migrate.check(address)
    database = Database(address, name="stocksync notifier", size=4)
    policy, pusher = settings.policy, settings.pusher
    postman = Postman(Desk(database, _mailer(settings), settings.mailing_lists, policy))
    pushing = [] if pusher is None else [Pushing(database, pusher, policy).run]
    broker = connect(settings)
    on_alert = runtime.Runtime(broker, stop).single(
        partial(handlers.on_alert, database=database, postman=postman)
    )
    return Worker(broker, [Subscription(ALERTS, on_alert)], database, beside=[postman.run, *pushing])


def _mailer(settings: NotifierSettings) -> Mailer:
    server = settings.smtp_server
    if server is not None:
        return SmtpMailer(server, settings.smtp_ca_file)
    folder = FolderMailer(settings.stocksync_home / "mail")
    log.warning("mails_are_files", **folder.describe())
    return folder


if __name__ == "__main__":
    worker.main("notifier", NotifierSettings, build)
