"""A real SMTP server for the tests: it keeps what it takes and can be told to refuse, wait or hang up."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.ports import free_port

LOGIN = ("shop", "correct horse")


@dataclass
class PostOffice:
    """What the server took, and how it behaves: a reply by recipient, a reply to the mail, a gate before it."""

    port: int
    taken: list[Envelope] = field(default_factory=list[Envelope])
    offered: int = 0
    logins: int = 0
    rcpt_replies: dict[str, str] = field(default_factory=dict[str, str])
    mail_reply: str = ""
    data_reply: str = ""
    quit_reply: str = "221 2.0.0 Bye"
    hang_up_after_taking: bool = False
    before_taking: threading.Event = field(default_factory=threading.Event)
    before_reply: threading.Event = field(default_factory=threading.Event)
    before_goodbye: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.open_gates()

    def open_gates(self) -> None:
        """Nobody waits any more."""
        for gate in (self.before_taking, self.before_reply, self.before_goodbye):
            gate.set()

    def mails(self) -> list[EmailMessage]:
        """The mails that were taken, in order."""
        contents = [cast("bytes", envelope.content) for envelope in list(self.taken)]
        return [message_from_bytes(raw, policy=policy.default) for raw in contents]

    async def handle_MAIL(  # noqa: N802 - the server's name for it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Note the sender, or refuse."""
        envelope.mail_from = address
        return self.mail_reply or "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Note a recipient, or refuse."""
        reply = self.rcpt_replies.get(address, "250 2.1.5 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Take the mail, or not, when the gates are open."""
        self.offered += 1
        await asyncio.to_thread(self.before_taking.wait, 60)
        if self.data_reply:
            return self.data_reply
        self.taken.append(envelope)
        if self.hang_up_after_taking and server.transport is not None:
            cast("asyncio.Transport", server.transport).abort()
        await asyncio.to_thread(self.before_reply.wait, 60)
        return "250 2.0.0 taken"

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 - as above
        """Say goodbye, when the gate is open."""
        await asyncio.to_thread(self.before_goodbye.wait, 60)
        return self.quit_reply

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        """Let in whoever knows LOGIN."""
        given = cast("LoginPassword", data)
        self.logins += 1
        known = (given.login.decode(), given.password.decode()) == LOGIN
        return AuthResult(success=known, handled=False)


@contextmanager
def opened(**options: Any) -> Generator[PostOffice]:  # noqa: ANN401 - handed on to the server
    """A server on a free port; `options` are aiosmtpd's."""
    office = PostOffice(free_port())
    if options.pop("login", False):
        options |= {"authenticator": office.authenticate, "auth_required": True}
    controller = Controller(office, hostname="127.0.0.1", port=office.port, **options)
    controller.start()
    try:
        yield office
    finally:
        office.open_gates()
        controller.stop()


def server_context(certificate: Any) -> ssl.SSLContext:  # noqa: ANN401 - trustme's LeafCert
    """A server's TLS with `certificate`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context
