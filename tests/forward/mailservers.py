"""Mail servers on loopback ports: aiosmtpd."""

from __future__ import annotations

import email
import email.policy
import pathlib
import ssl
from email.message import EmailMessage
from typing import Any

import attrs
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from ..certificates import Signed, sign
from ..door.proxies import free_ports

HAS_IT = "250 2.0.0 Queued"


@attrs.frozen
class Arrived:
    """A mail that arrived."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def mail(self) -> EmailMessage:
        """The mail, parsed."""
        found = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        assert not found.defects
        return found

    @property
    def text(self) -> str:
        """Its text."""
        assert self.mail.get_content_type() == "text/plain"
        return str(self.mail.get_content()).replace("\r\n", "\n")


class MailServer:
    """aiosmtpd, with STARTTLS or TLS from the beginning, and one user."""

    def __init__(
        self,
        folder: pathlib.Path,
        tls: str = "starttls",
        *,
        name: str = "localhost",
        needs_user: bool = True,
        mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN"),
    ) -> None:
        self.arrived: list[Arrived] = []
        self.attempts: list[list[str]] = []
        """Recipients of each attempt."""
        self.answers: dict[str, str] = {}
        """Replies to recipients, to `sender` and to `data`, that are not those of a success."""
        self.passwords: list[bytes] = []
        self.port = free_ports(1)[0]
        self.signed: Signed = sign(name)
        key, chain = self.signed.write(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        more: dict[str, Any] = {"auth_exclude_mechanism": {"PLAIN", "LOGIN"} - {*mechanisms}}
        if tls == "starttls":
            more |= {"tls_context": context, "require_starttls": True}
        elif tls == "implicit":
            more |= {"ssl_context": context, "auth_require_tls": False}
        if needs_user:
            more |= {"authenticator": self._knows, "auth_required": True}
        self._controller = Controller(self, "127.0.0.1", self.port, **more)
        self._controller.start()

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of a forwarder to it."""
        return {
            "host": "localhost",
            "port": self.port,
            "authority": self.signed.pem.decode(),
            "user": "zkpush",
            "password": "geheim-7",
            "sender": "zkpush@example.com",
            "recipients": ["anna@example.com"],
            "collect_minutes": 0,
            "allow_private": True,
        }

    def stop(self) -> None:
        """End it."""
        self._controller.stop()

    def _knows(self, server: Any, session: Any, envelope: Any, way: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.passwords.append(data.password)
        is_known = (data.login, data.password) == (b"zkpush", b"geheim-7")
        return AuthResult(success=is_known, handled=False)

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to a sender."""
        self.attempts.append([])
        if "sender" in self.answers:
            return self.answers["sender"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to a recipient."""
        self.attempts[-1].append(address)
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        """Take a mail."""
        if "data" in self.answers:
            return self.answers["data"]
        content = envelope.content
        assert isinstance(content, bytes)
        self.arrived.append(Arrived(str(envelope.mail_from), [*envelope.rcpt_tos], content))
        return HAS_IT
