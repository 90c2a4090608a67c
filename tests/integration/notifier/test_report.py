from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from threading import Event
from zoneinfo import ZoneInfo

import pytest

from services.notifier import picture
from services.notifier.audience import Audience, mailing_lists
from services.notifier.postman import Postman
from services.notifier.quiet import QuietHours
from services.notifier.refused import bring_back
from services.notifier.report_mailing import mail_reports
from shared.database.pool import Database
from shared.periods import Period
from shared.store import reports
from shared.vocabulary import AccountKey, StockStatus
from shared.weekly_report import Day, ProductWeek, Reads, Row, Seller, Stock, Unplaced, WeeklyReport
from tests.integration.notifier.desk import AT_ONCE, desk, let_claims_lapse, message_ids
from tests.integration.notifier.post_office import PostOffice
from tests.support.waiting import until

BEGAN, ENDED = datetime(2026, 4, 26, 22, tzinfo=UTC), datetime(2026, 5, 3, 22, tzinfo=UTC)
LIVE = AccountKey("self:live")
EVIL = "Mug\r\nBcc: evil@example.com <b>"


def weekly(**changes: object) -> WeeklyReport:
    """A week in which one product was sold."""
    days = [date(2026, 2, 9) + timedelta(days=n) for n in range(84)]
    report = WeeklyReport(
        begins_at=BEGAN,
        ends_at=ENDED,
        zone="Europe/Berlin",
        stock=Stock(products=1, sizes=1, units=4, low=1, out=0),
        sold=6,
        orders=5,
        products=(ProductWeek(product="prod_1", name=EVIL, sold=6),),
        more_products=0,
        best=(Seller(product="prod_1", name=EVIL, size="", sold=6, left=4, cover=4),),
        soon=(),
        ran_out=(),
        more_ran_out=0,
        unplaced=Unplaced(lines=0, oldest=None),
        reads=Reads(used=40, allowed=10_000),
        course=tuple(Day(day=day, stock=90 - n, sold=n % 3) for n, day in enumerate(days)),
        rows=(Row(product="prod_1", name="=1+1", size="", units=4, status=StockStatus.LOW),),
        more_rows=0,
    )
    return report.model_copy(update=changes)


def kept(database: Database, report: WeeklyReport, at: datetime = ENDED) -> int:
    """The report, committed by the reconciler."""
    data = report.model_dump(mode="json")
    return database.run(lambda c: reports.add(c, LIVE, at, Period(BEGAN, ENDED), data=data))


def state(database: Database) -> tuple[object, ...]:
    """(mailed, failed, attempts, last error) of the report."""
    with database.transaction() as connection:
        row = connection.execute(
            "select mailed_at is not null, failed_at is not null, attempts, last_error from report"
        ).fetchone()
    assert row is not None
    return tuple(row)


def part(mail: EmailMessage, kind: str) -> EmailMessage:
    """The only part of this content type."""
    (found,) = [one for one in mail.walk() if one.get_content_type() == kind]
    assert isinstance(found, EmailMessage)
    return found


def test_a_report_is_mailed_once_with_its_picture_and_table(database: Database, office: PostOffice) -> None:
    """One mail: text, HTML that shows the picture, the picture with a text for it, the table; and no second mail."""
    kept(database, weekly())
    for _ in range(3):
        mail_reports(desk(database, office.port))
    (mail,) = office.mails()
    assert mail["Subject"] == "[stocksync] The week 27 Apr to 3 May 2026: 6 sold, 0 out of stock"
    png = part(mail, "image/png")
    content = png.get_content()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (1120, 640)
    assert len(content) < 60_000
    html = part(mail, "text/html").get_content()
    assert f'src="cid:{str(png["Content-ID"]).strip("<>")}"' in html
    assert 'alt="Units in stock from 9 Feb to 3 May: 90 at first, 7 at last. Most were sold on' in html
    table = part(mail, "text/csv")
    assert table.get_filename() == "stock-2026-05-03.csv"
    assert table.get_content().startswith("\ufeffProduct ID,Product Name,Size,Stock,Status")
    assert "prod_1,'=1+1,,4,LOW STOCK" in table.get_content()
    assert "<b>" not in html
    assert "Bcc" not in mail
    assert part(mail, "text/plain").get_content().startswith("The week 27 Apr to 3 May 2026\r\n====")
    assert state(database) == (True, False, 1, "")


def test_what_was_refused_for_now_is_the_same_mail_later(database: Database, office: PostOffice) -> None:
    """A mail refused for now is tried again, under the same Message-ID where its fate was unknown."""
    kept(database, weekly())
    office.data_reply = "451 4.7.1 greylisted"
    mail_reports(desk(database, office.port))
    assert state(database) == (False, False, 1, "the mail was refused: 451 4.7.1")
    office.data_reply = ""
    office.hang_up_after_taking = True
    mail_reports(desk(database, office.port))
    office.hang_up_after_taking = False
    assert mail_reports(desk(database, office.port)) > 0
    with database.transaction() as connection:
        connection.execute("update report set claimed_at = claimed_at - interval '1 hour'")
    mail_reports(desk(database, office.port))
    first, again = message_ids(office.mails())
    assert first == again
    assert state(database)[0] is True


def test_a_report_that_is_never_confirmed_goes_out_twice_at_most(
    database: Database, office: PostOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that takes it and then hangs up is given it once more; then it counts as mailed."""
    office.hang_up_after_taking = True
    kept(database, weekly())
    for _ in range(3):
        mail_reports(desk(database, office.port))
        let_claims_lapse(database)
    assert len(set(message_ids(office.mails()))) == 1
    assert (len(office.taken), state(database)[0]) == (2, True)
    assert "mail_unconfirmed" in "".join(capsys.readouterr())


def test_what_is_refused_for_ever_ends(database: Database, office: PostOffice) -> None:
    """A 5xx ends the tries until the notifier is started again, as does a report that this version can't read."""
    kept(database, weekly())
    office.data_reply = "554 5.7.1 spam"
    mail_reports(desk(database, office.port))
    assert state(database) == (False, True, 1, "the mail was refused: 554 5.7.1")
    assert mail_reports(desk(database, office.port)) > 0
    bring_back(desk(database, office.port))
    assert mail_reports(desk(database, office.port)) == 0
    assert (office.offered, state(database)[1]) == (2, True)
    with database.transaction() as connection:
        connection.execute("""update report set failed_at = null, claimed_at = null, data = '{"v": 2}'""")
    mail_reports(desk(database, office.port))
    assert state(database)[1:] == (True, 2, "the report was made by another version")
    assert office.offered == 2


def test_a_report_whose_hint_was_lost_is_mailed_once_by_two(database: Database, office: PostOffice) -> None:
    """Two postmen find a report that nobody told them of, and one of them mails it."""
    stop = Event()
    postmen = [Postman(desk(database, office.port)) for _ in range(2)]
    kept(database, weekly())
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(postman.run, stop) for postman in postmen]
        until("the report to be mailed", lambda: bool(state(database)[0]))
        stop.set()
        for run in running:
            run.result(30)
    assert len(office.taken) == 1


def test_a_picture_that_can_t_be_drawn_is_left_out(
    database: Database, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the drawing library trips over, the figures go out."""

    def broken(course: object) -> bytes:
        raise RuntimeError(f"no font for {course}")

    monkeypatch.setattr(picture, "draw", broken)
    kept(database, weekly())
    mail_reports(desk(database, office.port))
    (mail,) = office.mails()
    assert "image/png" not in {one.get_content_type() for one in mail.walk()}
    assert "<img" not in part(mail, "text/html").get_content()


def test_a_report_waits_for_the_end_of_quiet_hours(database: Database, office: PostOffice) -> None:
    """A report that is made at night is mailed in the morning, dated then, to those who hear of stock."""
    night = datetime(2026, 5, 4, 4, 59, tzinfo=UTC)
    morning = night + timedelta(minutes=1)
    quiet = replace(AT_ONCE, quiet=QuietHours(time(22), time(7), ZoneInfo("Europe/Berlin")))
    people = {audience: (f"{audience}@example.com",) for audience in Audience}
    lists = mailing_lists("bot@example.com", people)
    kept(database, weekly())
    assert mail_reports(desk(database, office.port, quiet, lists=lists, now=lambda: night)) > 0
    assert office.taken == []
    mail_reports(desk(database, office.port, quiet, lists=lists, now=lambda: morning))
    (mail,) = office.mails()
    assert mail["Date"].datetime == morning
    assert mail["To"] == "stock@example.com"


def test_a_quiet_week_is_a_short_mail(database: Database, office: PostOffice) -> None:
    """Where nothing happened the mail says so, and shows no empty lists."""
    nothing = Stock(products=0, sizes=0, units=0, low=0, out=0)
    kept(database, weekly(stock=nothing, sold=0, orders=0, products=(), best=(), course=(), rows=()))
    mail_reports(desk(database, office.port))
    (mail,) = office.mails()
    text = part(mail, "text/plain").get_content()
    assert "No product keeps stock yet" in text
    assert "Best sellers" not in text
    assert {one.get_content_type() for one in mail.walk()} == {
        "multipart/alternative",
        "text/plain",
        "text/html",
    }
