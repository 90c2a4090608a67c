"""One round of mailing: look, claim, send, record; no transaction is open while a mail is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage

from services.notifier import decide
from services.notifier.audience import MailingList
from services.notifier.decide import Digest
from services.notifier.mail import Later, Letterhead, Mail, Mailer, Never, Sent, Unsure
from services.notifier.message import addresses, compose
from services.notifier.policy import Policy
from services.notifier.render import render
from shared import clock, logs
from shared.alerts import Claim
from shared.cover import PACE_DAYS
from shared.database.pool import Connection, Database
from shared.store import mails
from shared.store.movements import sold_lately

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What mailing needs: where alerts are, the way out, who is told of what, how patiently, and the time."""

    database: Database
    mailer: Mailer
    lists: tuple[MailingList, ...]
    policy: Policy = field(default_factory=Policy)
    now: Callable[[], datetime] = clock.now


def mail_what_waits(desk: Desk) -> float:
    """Send each list one mail if one is due; seconds until it is worth looking again."""
    return min(_mail(desk, mailing_list) for mailing_list in desk.lists)


def _mail(desk: Desk, mailing_list: MailingList) -> float:
    policy = desk.policy
    due = decide.due(mailing_list, policy, desk.now())
    with desk.database.transaction() as connection:
        state = mails.waiting(connection, due, abandoned_after=policy.abandoned_after)
        wait = decide.seconds_to_wait(state, policy)
        if wait is None or wait > 0:
            return policy.sweep if wait is None else min(wait, policy.sweep)
        claim = mails.claim(
            connection, due, abandoned_after=policy.abandoned_after, limit=policy.claim_at_most
        )
    if claim is None:
        return policy.sweep
    _tell(desk, mailing_list, claim)
    return 0


def _tell(desk: Desk, mailing_list: MailingList, claim: Claim) -> None:
    digest = decide.digest(claim, desk.policy)
    over = [alert.id for alert in digest.over]
    if digest.is_empty:
        desk.database.run(lambda connection: mails.mark_dropped(connection, claim, over))
        log.info("alerts_over_before_mailed", alerts=len(over))
        return
    letter = _letter(desk, mailing_list.letterhead, _with_pace(desk, digest))
    delivery = desk.mailer.send(letter, patient=decide.is_patient(claim, desk.policy))
    match delivery:
        case Sent(refused):
            _record(desk, claim, digest, _sent(letter, mailing_list, digest))
            if refused:
                log.error("mail_recipients_refused", recipients=len(refused), codes=list(refused))
        case Unsure(reason):
            again = _sent(letter, mailing_list, decide.told_before(digest))
            _record_unsure(desk, claim, _sent(letter, mailing_list, digest), again=again, reason=reason)
            if again.told or again.ended:
                log.error("mail_unconfirmed", subject=str(letter["Subject"]), reason=reason)
        case Later() | Never():
            _record_trouble(desk, claim, delivery)


def _with_pace(desk: Desk, digest: Digest) -> Digest:
    """`digest` with how fast the sizes sell that the mail spells out."""
    wanted = decide.stock_shown(digest, desk.policy)
    if not wanted:
        return digest
    found = desk.database.run(lambda connection: sold_lately(connection, wanted.values(), days=PACE_DAYS))
    return replace(
        digest, sold={number: found[variant] for number, variant in wanted.items() if variant in found}
    )


def _letter(desk: Desk, letterhead: Letterhead, digest: Digest) -> EmailMessage:
    blank = compose(Mail("", "", "", "<blank@localhost>"), letterhead, desk.now())
    domain = addresses(blank, "From")[0].rpartition("@")[2]
    return compose(render(digest, desk.policy, domain=domain), letterhead, desk.now())


def _sent(letter: EmailMessage, mailing_list: MailingList, digest: Digest) -> mails.Letter:
    return mails.Letter(
        str(letter["Message-ID"]),
        mailing_list.name,
        [alert.id for alert in digest.told],
        [alert.id for alert in digest.ended],
    )


def _record(desk: Desk, claim: Claim, digest: Digest, letter: mails.Letter) -> None:
    def record(connection: Connection) -> None:
        mails.mark_mailed(connection, claim, letter)
        mails.mark_dropped(connection, claim, [alert.id for alert in digest.over])

    desk.database.run(record)
    log.info(
        "alerts_mailed",
        mailing_list=letter.mailing_list,
        alerts=len(letter.told),
        ended=len(letter.ended),
        over=len(digest.over),
    )


def _record_unsure(
    desk: Desk, claim: Claim, letter: mails.Letter, *, again: mails.Letter, reason: str
) -> None:
    """Keep the claim: once that has lapsed, the same alerts go out under the same Message-ID, but no third time.

    Where one of them is over by then the mail is another one, under an id of its own, and tells that end.
    """

    def record(connection: Connection) -> None:
        if again.told or again.ended:
            mails.mark_mailed(connection, claim, again)
        mails.mark_unsure(connection, claim, letter, error=reason)

    desk.database.run(record)
    log.warning("mail_postponed", alerts=len(claim.alerts), reason=reason, **desk.mailer.describe())


def _record_trouble(desk: Desk, claim: Claim, delivery: Later | Never) -> None:
    """Give the alerts back for another try, or up."""
    told = {"alerts": len(claim.alerts), "reason": delivery.reason, **desk.mailer.describe()}

    def record(connection: Connection) -> None:
        match delivery:
            case Never(reason):
                mails.mark_failed(connection, claim, error=reason)
            case Later(reason):
                pause = decide.backoff(claim, desk.policy)
                mails.mark_retry(connection, claim, seconds=pause, error=reason)

    desk.database.run(record)
    if isinstance(delivery, Never):
        log.error("mail_refused", **told)
    else:
        log.warning("mail_postponed", **told)
