"""The one door to SMTP: one connection per mail, certificates verified, answers as values."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Final

from services.notifier.mail import Delivery, Later, Never, Sent, Unsure
from services.notifier.message import WIRE, addresses
from services.notifier.smtp_url import SmtpServer, Tls
from shared import clock

HELO: Final = "[127.0.0.1]"  # smtplib would ask DNS for this machine's name, and wait
OK, START_DATA = (250, 251, 252), 354
FOR_EVER: Final = 500
TIMEOUT, PATIENCE, GOODBYE = 15.0, 60.0, 5.0  # seconds
ANSWER: Final = 600.0
"""Seconds until the mail itself is answered: RFC 5321 has servers take so long over it (4.5.3.2.6)."""
LONGEST: Final = 3 * PATIENCE + ANSWER + GOODBYE
"""Seconds until a mail that was handed over is recorded: up to DATA, its answer, the mail, its answer, the goodbye."""
_END: Final = b".\r\n"
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?!\S)")


class SmtpMailer:
    """Sends by one mail server; every step within `timeout` seconds, the answer to the mail within `answer`.

    A mail whose DATA would begin later than `patience` after the start is not handed over, nor one that is then
    not taken off our hands within as much.
    """

    def __init__(
        self,
        server: SmtpServer,
        ca_file: Path | None = None,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        answer: float = ANSWER,
    ) -> None:
        """`ca_file` holds PEM certificates to trust instead of the system's."""
        self._server = server
        self._timeout = timeout
        self._patience = patience
        self._answer = answer
        self._ca_file = ca_file

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Loaded for the first server that wants it: reading the system's authorities takes a while."""
        return ssl.create_default_context(cafile=self._ca_file)

    def describe(self) -> dict[str, str]:
        """Where mails go, without credentials."""
        server = self._server
        return {"host": server.host, "port": str(server.port), "tls": server.tls.value}

    def send(self, message: EmailMessage, *, patient: bool) -> Delivery:
        """Send to all in `To`; while `patient`, one recipient refused for now holds up all."""
        content = message.as_bytes(policy=WIRE)
        deadline = clock.monotonic() + self._patience
        try:
            with self._connected() as smtp:
                answer = self._address(smtp, message, patient=patient)
                if isinstance(answer, Sent) and clock.monotonic() < deadline:
                    return self._hand_over(smtp, content, answer)
                return Later("the mail server is too slow") if isinstance(answer, Sent) else answer
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            return Later(_told(error))

    @contextmanager
    def _connected(self) -> Generator[smtplib.SMTP]:
        """A connection, encrypted and logged in. How it ends decides nothing: QUIT comes after the verdict."""
        smtp = self._open()
        try:
            smtp.ehlo_or_helo_if_needed()
            self._encrypt(smtp)
            if self._server.user:
                smtp.login(self._server.user, self._server.password)
            yield smtp
            _say_goodbye(smtp, min(self._timeout, GOODBYE))
        finally:
            smtp.close()

    def _open(self) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port
        if self._server.tls is Tls.IMPLICIT:
            return smtplib.SMTP_SSL(host, port, local_hostname=HELO, timeout=self._timeout, context=self._tls)
        return smtplib.SMTP(host, port, local_hostname=HELO, timeout=self._timeout)

    def _encrypt(self, smtp: smtplib.SMTP) -> None:
        wish = self._server.tls
        if wish in {Tls.IMPLICIT, Tls.OFF}:
            return
        if wish is Tls.REQUIRED or smtp.has_extn("starttls"):
            smtp.starttls(context=self._tls)
            smtp.ehlo_or_helo_if_needed()
        elif self._server.user:  # somebody in the middle may have removed the offer to see the password
            raise smtplib.SMTPNotSupportedError(
                "no STARTTLS offered, and a password is not sent in the clear"
            )

    def _address(self, smtp: smtplib.SMTP, message: EmailMessage, *, patient: bool) -> Delivery:
        """Name sender and recipients; Sent means that the mail itself may follow."""
        code, reply = smtp.mail(addresses(message, "From")[0])
        if code not in OK:
            return _refusal("the sender was refused", code, reply)
        replies = [smtp.rcpt(recipient) for recipient in addresses(message, "To")]
        refused = [(code, reply) for code, reply in replies if code not in OK]
        if not refused:
            return Sent()
        for_now = [(code, reply) for code, reply in refused if code < FOR_EVER]
        if for_now and (patient or len(refused) == len(replies)):
            return _refusal("a recipient was refused", *for_now[0])
        if len(refused) == len(replies):
            return _refusal("all recipients were refused", *refused[0])
        return Sent(tuple(code for code, _ in refused))

    def _hand_over(self, smtp: smtplib.SMTP, content: bytes, sent: Sent) -> Delivery:
        """Send the mail itself; a connection that breaks after the last byte of it leaves the outcome open."""
        _wait_at_most(smtp, self._patience)
        code, reply = smtp.docmd("DATA")
        if code == START_DATA:
            smtp.send(_LEADING_DOT.sub(b"..", content) + _END)
            _wait_at_most(smtp, self._answer)
            try:
                code, reply = smtp.getreply()
            except (smtplib.SMTPException, OSError) as error:
                return Unsure(_told(error))
        return sent if code in OK else _refusal("the mail was refused", code, reply)


def _wait_at_most(smtp: smtplib.SMTP, seconds: float) -> None:
    if smtp.sock is not None:
        smtp.sock.settimeout(seconds)


def _say_goodbye(smtp: smtplib.SMTP, seconds: float) -> None:
    try:
        _wait_at_most(smtp, seconds)
        smtp.quit()
    except (smtplib.SMTPException, OSError):
        return  # the verdict stands, however the server takes its leave


def _refusal(what: str, code: int, reply: bytes) -> Later | Never:
    told = f"{what}: {_code(code, reply)}"
    return Never(told) if code >= FOR_EVER else Later(told)


def _told(error: Exception) -> str:
    """What went wrong, without a word of what server or client said: that may hold addresses or a password."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the login was refused: {_code(error.smtp_code, _bytes(error.smtp_error))}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server declined: {_code(error.smtp_code, _bytes(error.smtp_error))}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"the server lacks what is asked for: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__


def _code(code: int, reply: bytes) -> str:
    enhanced = _ENHANCED.match(reply)
    return f"{code} {enhanced[0].decode()}" if enhanced else str(code)


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("ascii", "replace")
