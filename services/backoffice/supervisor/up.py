"""`stocksync up`: decides what this machine needs, runs it, and says when webhooks are welcome."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from services.backoffice.operations import people
from services.backoffice.settings import OFF, UpSettings
from services.backoffice.supervisor import plan
from services.backoffice.supervisor.addresses import Taken, resolve
from services.backoffice.supervisor.fleet import Fleet
from services.backoffice.supervisor.restarts import GiveUp
from services.backoffice.supervisor.signals import Signals
from shared import logs, own_pages
from shared.database import migrate
from shared.database.connect import dsn
from shared.database.pool import Database
from shared.simulator_secret import webhook_secret

KEPT_IN: Final = "pages-password"
"""Below STOCKSYNC_HOME: the first password of the web pages, where nobody set one."""
ACCOUNT: Final = Path("simulator", "account.json")
"""Below STOCKSYNC_HOME: what the simulator remembers."""
PROBE_SECONDS: Final = 2.0
ORPHANS_LEAVE_WITHIN: Final = 20.0
"""Seconds in which the children of a killed supervisor finish what is in hand."""
log = logs.get(__name__)


def up(settings: UpSettings) -> int:
    """Run everything until told to stop; the exit code. Raises Taken, and what a database may raise."""
    with Signals() as signals, _alone(settings.stocksync_home) as orphans:
        machine = decide(settings, patience=ORPHANS_LEAVE_WITHIN if orphans else 0.0)
        applied = migrate.migrate(dsn(settings))
        log.info("database_ready", migrations=len(applied), embedded=settings.database_url is None)
        if machine.pages_bind:
            _let_somebody_in(settings)
        fleet = Fleet(signals)
        fleet.add(plan.services(machine))
        try:
            gave_up = _run(fleet, machine, _mails(settings))
        finally:
            log.info("stopping")
            fleet.stop()
        log.info("stopped")
        return gave_up.exit_code if gave_up else 0


def decide(settings: UpSettings, *, patience: float = 0.0) -> plan.Machine:
    """Real addresses and the secret for what `settings` leave open; raises Taken after `patience` seconds."""
    simulated, pages = settings.uses_simulator, settings.backoffice_bind
    home = settings.stocksync_home
    own_secret = simulated and settings.stripe_webhook_secret is None
    return plan.Machine(
        ingest_bind=resolve("INGEST_BIND", settings.ingest_bind, patience),
        livemode=settings.livemode,
        simulator_bind=resolve("SIMULATOR_BIND", settings.simulator_bind, patience) if simulated else None,
        simulator_account=settings.simulator_account or str(home / ACCOUNT) if simulated else None,
        webhook_secret=webhook_secret(home) if own_secret else None,
        pages_bind=None if pages == OFF else resolve("BACKOFFICE_BIND", pages, patience),
        pages_origin=settings.backoffice_origin,
    )


def _let_somebody_in(settings: UpSettings) -> None:
    """Where a password is set, the pages make the operator who has it; raises Taken, DatabaseOutage."""
    if settings.backoffice_password:
        return
    file = settings.stocksync_home.resolve() / KEPT_IN
    with closing(Database(dsn(settings), name="stocksync up", size=1)) as database:
        try:
            if people.admit_first(database, file):
                log.info("operator_added", person=people.SHOP, password_in=str(file))
        except OSError as error:
            raise Taken(f"STOCKSYNC_HOME: {file} can't be written: {error.strerror}") from None


def _run(fleet: Fleet, machine: plan.Machine, mails: str) -> GiveUp | None:
    urls = plan.ready_urls(machine)
    gave_up = fleet.tend_until(lambda: all(own_pages.ready(url, PROBE_SECONDS) for url in urls))
    if gave_up is None and not fleet.signals.stop:
        sys.stdout.write(plan.ready_line(machine, mails) + "\n")
        sys.stdout.flush()
        fleet.proven = True
        gave_up = fleet.tend_until(lambda: False)
    return gave_up


def _mails(settings: UpSettings) -> str:
    return "smtp" if settings.smtp_url else str(settings.stocksync_home / "mail")


@contextmanager
def _alone(home: Path) -> Generator[bool]:
    """Hold the folder against a second supervisor; whether the one before was killed, its children leaving.

    The kernel lets go of the lock however this process ends; the file's text stays behind only at a kill.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "up.lock").open("a+")
    except OSError as error:
        raise Taken(f"STOCKSYNC_HOME: {home} can't be used: {error.strerror}") from None
    with file as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"STOCKSYNC_HOME: another `stocksync up` runs in {home}") from None
        lock.seek(0)
        killed = bool(lock.read())
        lock.write("running\n")
        lock.flush()
        try:
            yield killed
        finally:
            lock.truncate(0)
