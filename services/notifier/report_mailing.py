"""Mailing the reports that wait: claim, draw, send, record; no transaction is open while a mail is sent."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Final

from pydantic import ValidationError

from services.notifier import report_mail
from services.notifier.mail import Later, Letterhead, Mail, Never, Sent, Unsure
from services.notifier.mailing import Desk
from services.notifier.message import addresses, compose
from shared import logs
from shared.store import reports
from shared.store.reports import ClaimedReport
from shared.vocabulary import AlertKind
from shared.weekly_report import WeeklyReport

UNREADABLE: Final = "the report was made by another version"

log = logs.get(__name__)


def mail_reports(desk: Desk) -> float:
    """Mail one report if one waits and no quiet hours last; seconds until it is worth looking again."""
    policy = desk.policy
    if policy.quiet is not None and policy.quiet.until(desk.now()) is not None:
        return policy.sweep
    claimed = desk.database.run(lambda c: reports.claim(c, abandoned_after=policy.abandoned_after))
    if claimed is None:
        return policy.sweep
    _mail(desk, claimed)
    return 0


def _mail(desk: Desk, claimed: ClaimedReport) -> None:
    try:
        report = WeeklyReport.model_validate(claimed.data)
    except ValidationError:
        _give_up(desk, claimed, UNREADABLE)
        return
    letter = _letter(desk, report, claimed)
    delivery = desk.mailer.send(letter, patient=claimed.attempts < desk.policy.patient_attempts)
    match delivery:
        case Sent(refused):
            desk.database.run(lambda c: reports.mark_mailed(c, claimed))
            log.info("report_mailed", report=claimed.id, refused=len(refused))
        case Never(reason):
            _give_up(desk, claimed, reason)
        case Unsure(reason) if claimed.unsure:
            desk.database.run(lambda c: reports.mark_mailed(c, claimed))
            log.error("mail_unconfirmed", subject=str(letter["Subject"]), reason=reason)
        case Later() | Unsure():
            _postpone(desk, claimed, delivery)


def _letter(desk: Desk, report: WeeklyReport, claimed: ClaimedReport) -> EmailMessage:
    letterhead = _letterhead(desk)
    blank = compose(Mail("", "", "", "<blank@localhost>"), letterhead, desk.now())
    domain = addresses(blank, "From")[0].rpartition("@")[2]
    picture = report_mail.drawn(report)
    mail = report_mail.render(report, claimed, domain=domain, picture=picture is not None)
    letter = compose(mail, letterhead, desk.now())
    report_mail.enclose(letter, report, domain=domain, picture=picture)
    return letter


def _letterhead(desk: Desk) -> Letterhead:
    """Reports go to those who look after stock."""
    return next(one.letterhead for one in desk.lists if AlertKind.LOW_STOCK in one.kinds)


def _postpone(desk: Desk, claimed: ClaimedReport, delivery: Later | Unsure) -> None:
    """Give it back for another try; one of unknown fate keeps its claim, and goes out once more under the same id."""
    reason, steps = delivery.reason, desk.policy.backoff
    if isinstance(delivery, Later):
        pause = steps[min(claimed.attempts, len(steps)) - 1]
        desk.database.run(lambda c: reports.mark_retry(c, claimed, seconds=pause, error=reason))
    else:
        desk.database.run(lambda c: reports.mark_unsure(c, claimed, error=reason))
    log.warning("report_postponed", report=claimed.id, reason=reason, **desk.mailer.describe())


def _give_up(desk: Desk, claimed: ClaimedReport, reason: str) -> None:
    desk.database.run(lambda c: reports.mark_failed(c, claimed, error=reason))
    log.error("report_refused", report=claimed.id, reason=reason, **desk.mailer.describe())
