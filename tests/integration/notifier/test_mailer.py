from __future__ import annotations

import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from threading import Timer

import pytest
import trustme

from services.notifier.mail import Delivery, Later, Letterhead, Mail, Never, Sent, Unsure
from services.notifier.mailer import LONGEST, SmtpMailer
from services.notifier.mailer_folder import FolderMailer
from services.notifier.message import compose
from services.notifier.policy import Policy
from services.notifier.smtp_url import parse
from shared import clock
from tests.integration.notifier.post_office import LOGIN, PostOffice, opened, server_context
from tests.support.ports import free_port

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
USER, PASSWORD = LOGIN[0], LOGIN[1].replace(" ", "%20")
MAIL = Mail("Low stock", "text with é\n.\nand a dot line\n", "<p>é</p>", "<alerts-1@example.com>")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    return server_context(authority.issue_cert("127.0.0.1"))


def letter(*recipients: str) -> EmailMessage:
    to = recipients or ("shop@example.com",)
    return compose(MAIL, Letterhead("stocksync <bot@example.com>", to), datetime(2026, 11, 24, tzinfo=UTC))


def send(url: str, ca_file: Path | None = None, *recipients: str, patient: bool = True) -> Delivery:
    return SmtpMailer(parse(url), ca_file, timeout=5, patience=5).send(letter(*recipients), patient=patient)


def test_plain_smtp(office: PostOffice) -> None:
    """A mail arrives whole, from and to whom the letterhead says."""
    assert send(f"smtp://127.0.0.1:{office.port}", None, "a@example.com", "B <b@example.com>") == Sent()
    (envelope,), (mail,) = office.taken, office.mails()
    assert envelope.mail_from == "bot@example.com"
    assert envelope.rcpt_tos == ["a@example.com", "b@example.com"]
    assert mail["Message-ID"] == MAIL.message_id
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == MAIL.text


def test_starttls_and_login(tls: ssl.SSLContext, ca_file: Path) -> None:
    """STARTTLS is taken where offered, the certificate checked, and only then comes the login."""
    with opened(tls_context=tls, require_starttls=True, login=True) as office:
        assert send(f"smtp://{USER}:{PASSWORD}@127.0.0.1:{office.port}", ca_file) == Sent()
        assert (len(office.taken), office.logins) == (1, 1)


def test_implicit_tls_and_login(tls: ssl.SSLContext, ca_file: Path) -> None:
    """smtps:// is encrypted from the first byte, and logs in."""
    with opened(ssl_context=tls, auth_require_tls=False, login=True) as office:
        assert send(f"smtps://{USER}:{PASSWORD}@127.0.0.1:{office.port}", ca_file) == Sent()
        assert (len(office.taken), office.logins) == (1, 1)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_an_untrusted_certificate_gets_neither_mail_nor_password(tls: ssl.SSLContext, scheme: str) -> None:
    """A server whose certificate nobody vouches for is given nothing; the mail waits."""
    options = {"ssl_context": tls} if scheme == "smtps" else {"tls_context": tls}
    with opened(**options, auth_require_tls=False, login=True) as office:
        answer = send(f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{office.port}")
        assert isinstance(answer, Later)
        assert "certificate is not trusted" in answer.reason
        assert (office.taken, office.logins) == ([], 0)


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA, ca_file: Path) -> None:
    """A trusted certificate of another host is not this server's."""
    with opened(tls_context=server_context(authority.issue_cert("elsewhere.example.com"))) as office:
        assert isinstance(send(f"smtp://127.0.0.1:{office.port}", ca_file), Later)
        assert office.taken == []


def test_a_password_is_never_sent_in_the_clear() -> None:
    """Where STARTTLS is not offered, nobody logs in, unless the operator says so."""
    with opened(auth_require_tls=False, login=True) as office:
        address = f"smtp://{USER}:{PASSWORD}@127.0.0.1:{office.port}"
        answer = send(address)
        assert isinstance(answer, Later)
        assert "STARTTLS" in answer.reason
        assert office.logins == 0
        assert send(f"{address}?starttls=off") == Sent()


def test_starttls_can_be_required(office: PostOffice) -> None:
    """?starttls=required sends nothing to a server that does not offer it."""
    assert isinstance(send(f"smtp://127.0.0.1:{office.port}?starttls=required"), Later)
    assert office.taken == []


def test_fault_104_a_refused_login_is_told_without_the_password(tls: ssl.SSLContext, ca_file: Path) -> None:
    """A wrong password is an operator's to mend: the mail waits, and the reason shows no credentials."""
    with opened(tls_context=tls, require_starttls=True, login=True) as office:
        answer = send(f"smtp://{USER}:wrong-secret@127.0.0.1:{office.port}", ca_file)
    assert isinstance(answer, Later)
    assert answer.reason.startswith("the login was refused: 535")
    assert "wrong-secret" not in answer.reason


@pytest.mark.parametrize(
    ("reply", "kind"),
    [("451 4.7.1 greylisted", Later), ("552 5.3.4 too big", Never), ("421 4.3.2 closing", Later)],
)
def test_fault_99_the_reply_to_the_mail_decides(office: PostOffice, reply: str, kind: type[Delivery]) -> None:
    """A 4xx is for later, a 5xx for ever; only the code is repeated, not the server's words."""
    office.data_reply = reply
    answer = send(f"smtp://127.0.0.1:{office.port}")
    assert isinstance(answer, kind)
    assert answer == type(answer)(f"the mail was refused: {' '.join(reply.split()[:2])}")  # pyright: ignore[reportArgumentType, reportCallIssue] - both kinds take a reason


@pytest.mark.parametrize(("reply", "kind"), [("450 4.1.0 later", Later), ("550 5.1.0 never", Never)])
def test_fault_99_the_reply_to_the_sender_decides(
    office: PostOffice, reply: str, kind: type[Delivery]
) -> None:
    """A sender that is refused is later or never by the code."""
    office.mail_reply = reply
    assert isinstance(send(f"smtp://127.0.0.1:{office.port}"), kind)


@pytest.mark.parametrize(("reply", "kind"), [("450 4.2.0 greylisted", Later), ("550 5.1.1 unknown", Never)])
def test_fault_99_a_refused_only_recipient_decides(
    office: PostOffice, reply: str, kind: type[Delivery]
) -> None:
    """Where every recipient is refused the mail is later or never by the code."""
    office.rcpt_replies["shop@example.com"] = reply
    for patient in (True, False):
        assert isinstance(send(f"smtp://127.0.0.1:{office.port}", patient=patient), kind)
    assert office.taken == []


def test_one_greylisted_recipient_holds_up_the_others_for_a_while_only(office: PostOffice) -> None:
    """While patient nobody gets the mail before all can; after that those who can get it."""
    office.rcpt_replies["a@example.com"] = "450 4.2.0 greylisted"
    address = f"smtp://127.0.0.1:{office.port}"
    assert isinstance(send(address, None, "a@example.com", "b@example.com"), Later)
    assert office.taken == []
    assert send(address, None, "a@example.com", "b@example.com", patient=False) == Sent((450,))
    assert office.taken[0].rcpt_tos == ["b@example.com"]


def test_one_unknown_recipient_does_not_keep_the_mail_from_the_others(office: PostOffice) -> None:
    """A recipient that is refused for ever is reported, the others are served."""
    office.rcpt_replies["a@example.com"] = "550 5.1.1 unknown"
    assert send(f"smtp://127.0.0.1:{office.port}", None, "a@example.com", "b@example.com") == Sent((550,))


def test_a_server_that_thinks_long_about_the_mail_is_waited_for(office: PostOffice) -> None:
    """The answer to the mail itself has minutes to come, longer than any other step."""
    office.before_reply.clear()
    mailer = SmtpMailer(parse(f"smtp://127.0.0.1:{office.port}"), timeout=5, patience=2, answer=30)
    opening = Timer(3, office.before_reply.set)
    opening.start()
    assert mailer.send(letter(), patient=True) == Sent()
    opening.join()


def test_a_server_that_never_answers_leaves_the_mail_open(office: PostOffice) -> None:
    """The wait for the answer ends."""
    office.before_reply.clear()
    mailer = SmtpMailer(parse(f"smtp://127.0.0.1:{office.port}"), timeout=5, patience=5, answer=0.2)
    assert isinstance(mailer.send(letter(), patient=True), Unsure)


def test_a_connection_that_breaks_after_the_mail_leaves_it_open(office: PostOffice) -> None:
    """A mail that was handed over but not confirmed is neither sent nor unsent."""
    office.hang_up_after_taking = True
    assert isinstance(send(f"smtp://127.0.0.1:{office.port}"), Unsure)


def test_a_rude_farewell_does_not_undo_a_sent_mail(office: PostOffice) -> None:
    """What a server says to QUIT changes nothing."""
    office.quit_reply = "554 5.0.0 go away"
    assert send(f"smtp://127.0.0.1:{office.port}") == Sent()


def test_a_server_that_never_says_goodbye_is_not_waited_for(office: PostOffice) -> None:
    """A mail that was taken is recorded soon, however patient the mailer is with the answer to the mail."""
    office.before_goodbye.clear()
    begun = clock.monotonic()
    mailer = SmtpMailer(parse(f"smtp://127.0.0.1:{office.port}"), timeout=15, patience=60)
    assert mailer.send(letter(), patient=True) == Sent()
    assert clock.monotonic() - begun < 30


def test_a_claim_outlasts_any_send() -> None:
    """What one notifier still has in hand no other takes for left behind."""
    assert Policy().abandoned_after > LONGEST


def test_nobody_there() -> None:
    """A server that is away, or has no address, is for later."""
    assert isinstance(send(f"smtp://127.0.0.1:{free_port()}"), Later)
    assert isinstance(send("smtp://no-such-host.invalid:25"), Later)


def test_without_a_server_a_mail_is_a_file(tmp_path: Path) -> None:
    """A mail is one whole `.eml` file whose name sorts by time, and the same mail is not written twice."""
    mailer = FolderMailer(tmp_path / "mail")
    for _ in range(2):
        assert mailer.send(letter(), patient=True) == Sent()
    (file,) = (tmp_path / "mail").iterdir()
    assert file.suffix == ".eml"
    assert file.name[:9].removesuffix("T").isdigit()
    assert b"Message-ID: <alerts-1@example.com>\r\n" in file.read_bytes()


def test_a_folder_that_cannot_be_written_is_for_later(tmp_path: Path) -> None:
    """A full or forbidden disk holds the mail up and loses nothing."""
    (tmp_path / "mail").write_text("in the way")
    assert isinstance(FolderMailer(tmp_path / "mail").send(letter(), patient=True), Later)
