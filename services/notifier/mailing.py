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
from shared.store import alerts

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
        state = alerts.waiting(connection, abandoned_after=policy.abandoned_after)
        wait = decide.seconds_to_wait(state, policy)
        if wait is None or wait > 0:
            return policy.sweep if wait is None else min(wait, policy.sweep)
        claim = alerts.claim(connection, abandoned_after=policy.abandoned_after, limit=policy.claim_at_most)
    if claim is None:
        return policy.sweep
    _tell(desk, claim)
    return 0


def _tell(desk: Desk, claim: Claim) -> None:
    digest = decide.digest(claim)
    over = [alert.id for alert in digest.over]
    if not digest.told:
        with desk.database.transaction() as connection:
            alerts.mark_dropped(connection, claim, over)
        log.info("alerts_over_before_mailed", alerts=len(over))
        return
    letter = _letter(desk, digest)
    delivery = desk.mailer.send(letter, patient=decide.is_patient(claim, desk.policy))
    match delivery:
        case Sent(refused):
            told = [alert.id for alert in digest.told]
            with desk.database.transaction() as connection:
                alerts.mark_mailed(connection, claim, told, str(letter["Message-ID"]))
                alerts.mark_dropped(connection, claim, over)
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
    """Give the alerts back for another try, or up; a mail of unknown fate is sent again under its Message-ID."""
    with desk.database.transaction() as connection:
        if isinstance(delivery, Never):
            alerts.mark_failed(connection, claim, error=delivery.reason)
        else:
            pause = decide.backoff(claim, desk.policy)
            alerts.mark_retry(connection, claim, seconds=pause, error=delivery.reason)
    if isinstance(delivery, Never):
        log.error("mail_refused", alerts=len(claim.alerts), reason=delivery.reason, **desk.mailer.describe())
    else:
        log.warning(
            "mail_postponed", alerts=len(claim.alerts), reason=delivery.reason, **desk.mailer.describe()
        )
