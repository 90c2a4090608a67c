from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Outgoing
from shared.database.pool import Database
from shared.messages import AlertOpened, Message, ProblemNoticed, encode
from shared.settings import child_environment
from shared.store import mails
from shared.topology import ALERTS, PIPELINE
from shared.vocabulary import AlertKind
from tests.integration.notifier.desk import (
    ACCOUNT,
    let_claims_lapse,
    low,
    message_ids,
    oversold,
    raised,
    told,
)
from tests.integration.notifier.post_office import PostOffice
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[3]
SECRET = "correct-horse"


@contextmanager
def notifier(
    home: Path, database_url: str, smtp_url: str | None, **more: str
) -> Generator[subprocess.Popen[bytes]]:
    """A notifier's process with `more` settings, its log in `home/log`."""
    environment = child_environment(
        DATABASE_URL=database_url,
        AMQP_URL=None,
        SMTP_URL=smtp_url,
        SMTP_CA_FILE=None,
        MAIL_FROM="bot@example.com",
        MAIL_TO="shop@example.com",
        MAIL_PAUSE_SECONDS="0",
        STOCKSYNC_HOME=str(home),
        STOCKSYNC_LIFELINE=None,
        LOG_LEVEL="INFO",
        **more,
    )
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.notifier"], cwd=ROOT, env=environment, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def logged(home: Path) -> str:
    return (home / "log").read_text()


def pending(database: Database) -> int:
    return database.run(mails.pending_count)


def publish(database_url: str, message: Message) -> None:
    broker = EmbeddedBroker(database_url, PIPELINE)
    broker.declare()
    broker.publish(Outgoing(message.type, encode(message), uuid.uuid4().hex))
    broker.close()


def waiting_hints(database_url: str) -> int:
    broker = EmbeddedBroker(database_url, PIPELINE)
    depth = broker.depth(ALERTS)
    broker.close()
    return depth.ready


def test_a_kill_before_the_mail_is_taken_loses_nothing(
    tmp_path: Path, database: Database, database_url: str, office: PostOffice
) -> None:
    """An alert whose notifier is killed -9 while it sends goes out once another takes its place."""
    url = f"smtp://127.0.0.1:{office.port}"
    raised(database, low(1))
    office.before_taking.clear()
    office.data_reply = "451 4.3.0 nobody reads this any more"
    with notifier(tmp_path, database_url, url):
        until("the mail to be offered", lambda: office.offered == 1)
    office.before_taking.set()
    let_claims_lapse(database)
    office.data_reply = ""
    with notifier(tmp_path, database_url, url):
        until("the mail", lambda: pending(database) == 0)
    assert len(office.taken) == 1


def test_a_kill_between_send_and_mark_doubles_a_mail_at_most_once(
    tmp_path: Path, database: Database, database_url: str, office: PostOffice
) -> None:
    """A notifier killed -9 after the mail was taken costs one duplicate with the same Message-ID, no more."""
    url = f"smtp://127.0.0.1:{office.port}"
    raised(database, low(1), low(2))
    office.before_reply.clear()
    with notifier(tmp_path, database_url, url):
        until("the mail to be taken", lambda: len(office.taken) == 1)
    office.before_reply.set()
    let_claims_lapse(database)
    ids = raised(database, low(3))
    with notifier(tmp_path, database_url, url) as process:
        publish(database_url, AlertOpened(alert=ids[0]))
        until("all mails", lambda: pending(database) == 0)
        process.terminate()
        assert process.wait(20) == 0
    first, again, other = message_ids(office.mails())
    assert first == again != other


def test_s12_a_kill_for_each_audience_doubles_each_mail_at_most_once(
    tmp_path: Path, database: Database, database_url: str, office: PostOffice
) -> None:
    """A notifier killed -9 after each mail was taken costs each audience one duplicate under its id, no more."""
    url = f"smtp://127.0.0.1:{office.port}"
    own = {f"MAIL_TO_{audience}": f"{audience}@example.com" for audience in ("STOCK", "SALES", "OPERATIONS")}
    raised(database, low(1), oversold("cs_1"))
    told(database, AlertKind.JOB_FAILED, "recover", job="recover")
    for taken in (1, 2, 3):
        office.before_reply.clear()
        with notifier(tmp_path, database_url, url, **own):
            until("another mail to be taken", lambda taken=taken: len(office.taken) == taken)
        office.before_reply.set()
    let_claims_lapse(database)
    with notifier(tmp_path, database_url, url, **own):
        until("all mails", lambda: pending(database) == 0)
    assert Counter(str(mail["To"]) for mail in office.mails()) == dict.fromkeys(own.values(), 2)
    assert sorted(Counter(message_ids(office.mails())).values()) == [2, 2, 2]


def test_a_stop_finishes_the_mail_in_hand(
    tmp_path: Path, database: Database, database_url: str, office: PostOffice
) -> None:
    """SIGTERM in the middle of a mail ends the process with 0 once the mail is sent and recorded."""
    raised(database, low(1))
    office.before_reply.clear()
    with notifier(tmp_path, database_url, f"smtp://127.0.0.1:{office.port}") as process:
        until("the mail to be taken", lambda: len(office.taken) == 1)
        process.send_signal(signal.SIGTERM)
        office.before_reply.set()
        assert process.wait(20) == 0
    assert pending(database) == 0


def test_a_problem_without_a_database_becomes_a_mail(
    tmp_path: Path, database: Database, database_url: str, office: PostOffice
) -> None:
    """What the webhook door noticed is told once, however often it is noticed."""
    with notifier(tmp_path, database_url, f"smtp://127.0.0.1:{office.port}"):
        until("the notifier", lambda: "worker_ready" in logged(tmp_path))
        problem = ProblemNoticed(account=ACCOUNT, kind=AlertKind.BROKER_REFUSED, subject="session.paid")
        for _ in range(3):
            publish(database_url, problem)
        until("the mail", lambda: len(office.taken) == 1)
        until("its record", lambda: pending(database) == 0)
    assert office.mails()[0]["Subject"].startswith("[stocksync test] The message queue refuses webhooks")


def test_without_a_mail_server_mails_are_files_and_the_log_says_so(
    tmp_path: Path, database: Database, database_url: str
) -> None:
    """Where SMTP_URL is unset the log says so once and mails lie under STOCKSYNC_HOME."""
    raised(database, low(1))
    with notifier(tmp_path, database_url, None):
        until("the mail", lambda: pending(database) == 0)
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1
    assert logged(tmp_path).count("mails_are_files") == 1


def test_fault_104_no_log_shows_a_password(
    tmp_path: Path, database: Database, database_url: str, office: PostOffice
) -> None:
    """Neither a refused login nor anything else writes the password or the recipients to the log."""
    raised(database, low(1))
    with notifier(tmp_path, database_url, f"smtp://shop:{SECRET}@127.0.0.1:{office.port}"):
        until("the refusal", lambda: "mail_postponed" in logged(tmp_path))
    assert SECRET not in logged(tmp_path)
    assert "shop@example.com" not in logged(tmp_path)


def test_fault_63_a_database_that_is_away_delays_mails_and_loses_none(
    tmp_path: Path, database: Database, database_url: str, office: PostOffice
) -> None:
    """Connections that are cut under the notifier cost it nothing but time."""
    with notifier(tmp_path, database_url, f"smtp://127.0.0.1:{office.port}") as process:
        publish(database_url, AlertOpened(alert=raised(database, low(1))[0]))
        until("the first mail", lambda: pending(database) == 0)
        until("its hint to be read", lambda: waiting_hints(database_url) == 0)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name like 'stocksync%' and datname = current_database()"
            )
        ids = raised(database, low(2))
        publish(database_url, AlertOpened(alert=ids[0]))
        until("the second mail", lambda: pending(database) == 0, 60)
        assert process.poll() is None
    assert len(office.taken) == 2
