"""One round of mailing: look, claim, send, record; no transaction is open while a mail is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage

from services.notifier import decide
from services.notifier.mail import Later, Letterhead, Mail, Mailer, Never, Sent, Unsure
from services.notifier.message import addresses, compose
from services.notifier.policy import Policy
from services.notifier.render import render
from shared import clock, logs
from shared.alerts import Claim
from shared.database.pool import Database
from shared.store import mails

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What mailing needs: where alerts are, the way out, who writes to whom, how patiently."""

    database: Database
    mailer: Mailer
    letterhead: Letterhead
    policy: Policy = field(default_factory=Policy)


def mail_what_waits(desk: Desk) -> float:
    """Send one mail if one is due; seconds until it is worth looking again."""
    policy = desk.policy
    with desk.database.transaction() as connection:
        state = mails.waiting(connection, abandoned_after=policy.abandoned_after)
        wait = decide.seconds_to_wait(state, policy)
        if wait is None or wait > 0:
            return policy.sweep if wait is None else min(wait, policy.sweep)
        claim = mails.claim(connection, abandoned_after=policy.abandoned_after, limit=policy.claim_at_most)
    if claim is None:
        return policy.sweep
    _tell(desk, claim)
    return 0


def _tell(desk: Desk, claim: Claim) -> None:
    digest = decide.digest(claim)
    over = [alert.id for alert in digest.over]
    if not digest.told:
        with desk.database.transaction() as connection:
            mails.mark_dropped(connection, claim, over)
        log.info("alerts_over_before_mailed", alerts=len(over))
        return
    letter = _letter(desk, digest)
    delivery = desk.mailer.send(letter, patient=decide.is_patient(claim, desk.policy))
    match delivery:
        case Sent(refused):
            told = [alert.id for alert in digest.told]
            with desk.database.transaction() as connection:
                mails.mark_mailed(connection, claim, told, str(letter["Message-ID"]))
                mails.mark_dropped(connection, claim, over)
            log.info("alerts_mailed", alerts=len(told), over=len(over))
            if refused:
                log.error("mail_recipients_refused", recipients=len(refused), codes=list(refused))
        case _:
            _record_trouble(desk, claim, delivery)


def _letter(desk: Desk, digest: decide.Digest) -> EmailMessage:
    blank = compose(Mail("", "", "", "<blank@localhost>"), desk.letterhead, clock.now())
    domain = addresses(blank, "From")[0].rpartition("@")[2]
    mail = render(digest, desk.policy, domain=domain)
    return compose(mail, desk.letterhead, clock.now())


def _record_trouble(desk: Desk, claim: Claim, delivery: Later | Never | Unsure) -> None:
    """Give the alerts back for another try, or up.

    A mail of unknown fate keeps its claim: once that has lapsed, the same alerts go out under the same Message-ID.
    """
    told = {"alerts": len(claim.alerts), "reason": delivery.reason, **desk.mailer.describe()}
    with desk.database.transaction() as connection:
        match delivery:
            case Never(reason):
                mails.mark_failed(connection, claim, error=reason)
            case Later(reason):
                pause = decide.backoff(claim, desk.policy)
                mails.mark_retry(connection, claim, seconds=pause, error=reason)
            case Unsure(reason):
                mails.mark_unsure(connection, claim, error=reason)
    if isinstance(delivery, Never):
        log.error("mail_refused", **told)
    else:
        log.warning("mail_postponed", **told)
