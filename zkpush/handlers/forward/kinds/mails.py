"""Values of the SMTP client: mails, and the replies of a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

SUCCESS = range(200, 300)
"""Codes of replies that accept."""


class MailFailed(Exception):
    """A mail could not be sent, for a reason that says nothing about its recipients."""


@attrs.frozen
class SmtpReply:
    """A reply of a mail server."""

    code: int
    text: str

    @property
    def words(self) -> str:
        """The reply in words."""
        return f"{self.code} {self.text}".strip()

    @property
    def is_temporary(self) -> bool:
        """Whether the server asks for another attempt."""
        return 400 <= self.code < 500


@attrs.frozen
class MailResult:
    """The answers of a server to a mail."""

    is_sent: bool
    last: SmtpReply
    """The last reply: to the text of the mail, if it was sent."""
    recipients: dict[str, SmtpReply]
    """The reply to each recipient; empty if the sender was refused."""

    @property
    def accepted(self) -> list[str]:
        """Recipients to whom the mail was sent."""
        return [one for one, reply in self.recipients.items() if reply.code in SUCCESS]


@attrs.frozen(kw_only=True)
class OutgoingMail:
    """A mail to send."""

    sender: str
    recipients: Sequence[str]
    encode: Callable[[dict[str, SmtpReply]], bytes]
    """Returns the mail, with lines that end with LF; called with the replies to all recipients
    once one of them was accepted."""


@attrs.frozen(kw_only=True)
class MailAccess:
    """Security of a connection to a mail server."""

    context: Any
    """Connection creator for STARTTLS; None to use no STARTTLS."""
    needs_tls: bool
    user: str | None
    password: str | None
