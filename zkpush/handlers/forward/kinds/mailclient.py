"""SMTP client that sends one mail: Twisted's, with the result as a value.

Twisted's module looks up the name of this host when it is imported, which may take seconds: import
this one on a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import connectionDone
from twisted.mail.smtp import (
    DNSNAME,
    CramMD5ClientAuthenticator,
    ESMTPClient,
    LOGINAuthenticator,
    PLAINAuthenticator,
    SMTPClientError,
)
from twisted.python.failure import Failure

from ..replies import quote
from .mails import SUCCESS, MailAccess, MailFailed, MailResult, OutgoingMail, SmtpReply

QUIT_SECONDS = 5.0
"""Longest time for the end of a connection, after the mail was sent."""


class MailClient(ESMTPClient):
    """Sends one mail over a connection, then ends it; `done` fires with a `MailResult`.

    It fails with `MailFailed`, or with the reason for which the connection was lost. To limit its
    time, cancel it.
    """

    # The log of a session would hold the password.
    debug = False

    def __init__(self, mail: OutgoingMail, access: MailAccess, clock: Any) -> None:
        secret = None if access.password is None else access.password.encode()
        super().__init__(secret, access.context, DNSNAME)
        self._clock = clock
        self.requireTransportSecurity = access.needs_tls
        self.requireAuthentication = access.user is not None
        if access.user is not None:
            user = access.user.encode()
            for kind in (PLAINAuthenticator, LOGINAuthenticator, CramMD5ClientAuthenticator):
                self.registerAuthenticator(kind(user))
        self.done: Deferred[MailResult] = Deferred(lambda _: self.abort())
        self._mail: OutgoingMail | None = mail
        self._sender = mail.sender
        self._replies: dict[str, SmtpReply] = {}
        self._is_complete = False
        self._is_line_start = False

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """Schedule a time limit."""
        return self._clock.callLater(period, func)

    def abort(self) -> None:
        """End the connection at once."""
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    def getMailFrom(self) -> str | None:
        """Return the sender; None once the mail was sent."""
        return None if self._mail is None else self._mail.sender

    def getMailTo(self) -> list[str]:
        """Return the recipients."""
        return [] if self._mail is None else [*self._mail.recipients]

    def getMailData(self) -> BytesIO:
        """Return the mail."""
        assert self._mail is not None  # noqa: S101 - asked for between sender and reply
        return BytesIO(self._mail.encode(_replies(self.toAddressesResult)))

    def esmtpState_starttls(self, code: int, resp: bytes) -> None:
        """Start TLS; what was sent before, without encryption, must not count as a reply."""
        if self.clearLineBuffer():
            self._fail(MailFailed("The server sent data between STARTTLS and TLS"))
            self.abort()
            return
        super().esmtpState_starttls(code, resp)

    def transformChunk(self, chunk: bytes) -> bytes:
        """Escape leading periods at the beginning of a chunk, too."""
        text: bytes = super().transformChunk(chunk)
        if self._is_line_start and text.startswith(b"."):
            text = b"." + text
        self._is_line_start = chunk.endswith(b"\n")
        return text

    def finishedFileTransfer(self, lastsent: bytes) -> None:
        """Note that the server has the whole mail, and end it."""
        self._is_complete = True
        super().finishedFileTransfer(lastsent)

    def sentMail(
        self, code: int, resp: bytes | str, numOk: int, addresses: Sequence[Any], log: object
    ) -> None:
        """Fire the result; the connection ends on its own."""
        self._mail = None
        self.setTimeout(QUIT_SECONDS)
        is_sent = bool(numOk) and code in SUCCESS and self._is_complete
        result = MailResult(is_sent, SmtpReply(code, _text(resp)), _replies(addresses))
        if not self.done.called:
            self.done.callback(result)

    def sendError(self, exc: BaseException) -> None:
        """Fail, and end the connection."""
        if isinstance(exc, SMTPClientError):
            words = quote(f"{exc.code if exc.code > 0 else ''} {_text(exc.resp)}")
            self._fail(MailFailed(f"{type(exc).__name__}: {words}"))
            self.setTimeout(QUIT_SECONDS)
            super().sendError(exc)
        else:
            self._fail(exc)
            self.abort()

    def timeoutConnection(self) -> None:
        """End a connection whose server does not answer to QUIT."""
        self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail if the mail was not sent."""
        super().connectionLost(reason)
        self._fail(reason.value or ConnectionDone())

    def _fail(self, error: BaseException) -> None:
        if not self.done.called:
            self.done.errback(Failure(error))


def _text(text: bytes | str) -> str:
    return quote(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)


def _replies(answers: Sequence[Any]) -> dict[str, SmtpReply]:
    """Return the reply to each recipient."""
    return {
        address if isinstance(address, str) else address.decode("ascii"): SmtpReply(
            code, _text(text)
        )
        for address, code, text in answers
    }
