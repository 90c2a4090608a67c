"""What the commands share: the database, exit codes, and errors as one line."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, NoReturn

from services.backoffice.cli.moments import NoMoment
from services.backoffice.cli.tables import visible
from services.backoffice.settings import MachineSettings
from services.backoffice.supervisor.addresses import Taken
from shared import logs
from shared.database import migrate as migrations
from shared.database.connect import dsn, exists
from shared.database.errors import WrongDatabase
from shared.database.pool import Database
from shared.outcomes import Outage
from shared.refusal import Refused
from shared.settings import WRONG_SETTING, DatabaseSettings, StripeSettings, load
from shared.store import installations
from shared.stripe_api.answers import StripeFailed
from shared.stripe_api.objects import SurprisingAnswer
from shared.vocabulary import AccountKey, account_key

FOUND_LATER: Final = "The queue does not answer; the reconciler finds what changed within a minute or so."
"""What people are told where the stock worker could not be."""
FAILED: Final = 1
"""The exit code where something that is not a setting is wrong."""


@contextmanager
def open_database(settings: DatabaseSettings, *, size: int = 2) -> Generator[Database]:
    """Up to `size` connections; the database must be there and of this version; raises WrongDatabase, an Outage."""
    if not exists(settings):
        raise WrongDatabase(
            f"there is no database below {settings.stocksync_home.resolve()}: run this in the folder where"
            " `stocksync up` runs, or set DATABASE_URL",
            "STOCKSYNC_HOME",
        )
    address = dsn(settings)
    migrations.check(address)
    database = Database(address, name="stocksync backoffice", size=size)
    try:
        yield database
    finally:
        database.close()


class OtherLedger(Exception):
    """Nobody said which ledger is meant, and the one that is taken for granted is not kept here."""


def account_of(settings: StripeSettings, database: Database) -> AccountKey:
    """Whose ledger a command is about; raises OtherLedger, DatabaseOutage."""
    account = account_key(None, livemode=settings.livemode)
    other = (
        database.run(lambda c: installations.kept_instead(c, account)) if settings.uses_simulator else None
    )
    if other is not None:
        raise OtherLedger(
            "STRIPE_API_KEY: it is not set, which means test mode, and nothing is kept of that here: set the key whose"
            f" stock is kept ({other.rpartition(':')[2]} mode)"
        )
    return account


@contextmanager
def opened_account() -> Generator[tuple[MachineSettings, Database, AccountKey]]:
    """Settings, database and account of a command; what people can do something about is one line."""
    settings = load(MachineSettings)
    logs.configure("backoffice", settings.log_level)
    with plain_errors(), open_database(settings) as database:
        yield settings, database, account_of(settings, database)


@contextmanager
def plain_errors() -> Generator[None]:
    """What people can do something about is one line, not a traceback."""
    try:
        yield
    except (NoMoment, OtherLedger, Taken, WrongDatabase) as error:
        _end(str(error), WRONG_SETTING)
    except (Refused, StripeFailed, SurprisingAnswer, Outage) as error:
        _end(str(error), FAILED)


def _end(line: str, code: int) -> NoReturn:
    sys.stderr.write(f"stocksync: {visible(line)}\n")
    raise SystemExit(code)
