from __future__ import annotations

from services.notifier.handlers import on_alert
from services.notifier.mailing import mail_what_waits
from services.notifier.postman import Postman
from services.notifier.problems import end_past
from shared.database.pool import Database
from shared.messages import ProblemNoticed
from shared.outcomes import Done
from shared.store import mails
from shared.vocabulary import AlertKind
from tests.integration.notifier.desk import ACCOUNT, desk, low, raised
from tests.integration.notifier.post_office import PostOffice

OVER = "The message queue has refused no webhook for an hour"


def noticed(database: Database, office: PostOffice, kind: AlertKind = AlertKind.BROKER_REFUSED) -> None:
    """The webhook door says that it met the problem."""
    message = ProblemNoticed(account=ACCOUNT, kind=kind, subject="session.paid")
    assert on_alert(message, database, Postman(desk(database, office.port))) == Done()


def hours_pass(database: Database, hours: float) -> None:
    """Nobody notices anything for so long."""
    with database.transaction() as connection:
        connection.execute("update alert set seen_at = seen_at - make_interval(secs => %s)", (hours * 3600,))


def told(database: Database, office: PostOffice) -> list[str]:
    """What people were told, once the notifier has swept."""
    at_work = desk(database, office.port)
    end_past(at_work)
    while database.run(mails.pending_count):
        mail_what_waits(at_work)
    return [str(mail["Subject"]).removeprefix("[stocksync test] ").split(": ")[0] for mail in office.mails()]


def test_a_problem_that_comes_again_after_months_is_told_again(
    database: Database, office: PostOffice
) -> None:
    """What nobody notices for an hour is over, people hear so, and the next time is news."""
    noticed(database, office)
    begun = told(database, office)
    hours_pass(database, 1.1)
    assert told(database, office) == [*begun, OVER]
    noticed(database, office)
    assert told(database, office) == [*begun, OVER, *begun]


def test_guessed_passwords_are_told_and_over_like_any_problem(database: Database, office: PostOffice) -> None:
    """People hear once that somebody tries passwords, and after a quiet hour that nobody is blocked any more."""
    noticed(database, office, AlertKind.LOGINS_BLOCKED)
    told(database, office)
    noticed(database, office, AlertKind.LOGINS_BLOCKED)
    (begun,) = told(database, office)
    assert "Somebody tries passwords at the web pages" in begun
    hours_pass(database, 1.1)
    assert "Nobody has been blocked at the web pages for an hour" in told(database, office)[1]


def test_a_problem_that_lasts_is_told_once(database: Database, office: PostOffice) -> None:
    """Negative control: noticed again within the hour it is the same one, however long it lasts."""
    for _ in range(3):
        noticed(database, office)
        hours_pass(database, 0.9)
        assert len(told(database, office)) == 1


def test_a_rare_wrong_event_is_no_mail_each_time(database: Database, office: PostOffice) -> None:
    """An endpoint of the other mode or of another account that sends every few hours is one problem."""
    for kind in (AlertKind.LIVEMODE_MISMATCH, AlertKind.UNKNOWN_ACCOUNT):
        noticed(database, office, kind)
        before = len(told(database, office))
        hours_pass(database, 23)
        noticed(database, office, kind)
        assert len(told(database, office)) == before


def test_what_nobody_was_told_of_yet_stays(database: Database, office: PostOffice) -> None:
    """While mails wait a problem does not end unheard, and what others raised does not end by silence."""
    noticed(database, office)
    raised(database, low(1))
    hours_pass(database, 100)
    end_past(desk(database, office.port))
    with database.transaction() as connection:
        assert connection.execute("select from alert where resolved_at is not null").fetchall() == []
    assert told(database, office)[0] == "Message queue refuses webhooks, 1 low stock"
