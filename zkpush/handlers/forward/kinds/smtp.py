"""The kind `smtp`: mails about problems of terminals and of the server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta
from OpenSSL.SSL import Error as TLSFault
from service_identity import VerificationError
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.ssl import optionsForClientTLS
from twisted.internet.threads import deferToThread
from twisted.plugin import IPlugin
from zope.interface import implementer

from ....interfaces import ICollectingForwarder, IDelivery, ISelectiveForwarder
from ....values.forwarding import (
    BatchLimits,
    Delivered,
    ForwardBatch,
    ForwarderTarget,
    Outcome,
    RefusedBatch,
    RetryLater,
)
from ..agent import GuardedEndpoint
from ..replies import quote, unreached
from .hosts import check_host, trust_of
from .mails import MailAccess, MailFailed, MailResult, OutgoingMail, SmtpReply
from .mailtext import ProblemNews, body_of, collect_news, compose, encode_mail

if TYPE_CHECKING:
    from .mailclient import MailClient

SECONDS = 25.0
"""Longest time to send a mail, from the resolution of the name on."""
MOST_RECIPIENTS = 20
_PORTS = {"starttls": 587, "implicit": 465, "none": 25}
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?",
    re.ASCII,
)
_MOST_ADDRESS = 254


class SmtpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Mail server, sender and recipients."""

    host: Annotated[
        str, Meta(description="Name or address of the mail server", examples=["mail.example.com"])
    ]
    port: Annotated[
        int | None,
        Meta(description="Its port; by default 587 for starttls, 465 for implicit, 25 for none"),
    ] = None
    tls: Annotated[
        Literal["starttls", "implicit", "none"],
        Meta(
            description="How the connection is encrypted: by STARTTLS, from the beginning, or not; "
            "none needs allow_private"
        ),
    ] = "starttls"
    authority: Annotated[
        str | None,
        Meta(
            description="Certificate (PEM) of the authority that has signed that of the server, if "
            "the system does not trust it already"
        ),
    ] = None
    user: Annotated[str | None, Meta(description="User at the mail server; null for none")] = None
    password: Annotated[
        str | None, Meta(description="Password of the user", extra={"secret": True})
    ] = None
    sender: Annotated[
        str, Meta(description="Address that mails come from", examples=["clock@example.com"])
    ]
    recipients: Annotated[
        list[str],
        Meta(
            description="Addresses that mails go to, at most 20",
            examples=['["office@example.com"]'],
        ),
    ]
    collect_minutes: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="Minutes for which problems are collected into one mail, after the first",
        ),
    ] = 5.0
    allow_private: Annotated[
        bool,
        Meta(description="Whether the server may be in a private network or on this machine"),
    ] = False


@implementer(IPlugin, ISelectiveForwarder, ICollectingForwarder)
class Smtp:
    """Mails problems, and that they are solved."""

    name = "smtp"
    summary = "Mails about problems of terminals and of the server, new and solved"
    settings = SmtpSettings
    limits = BatchLimits(events=200, bytes=100_000)
    makes_secret = False
    events = ("problem",)

    def check(self, settings: Any) -> None:
        """Check server, addresses and security."""
        check_host(settings.host, settings.port)
        trust_of(settings.authority)
        _check_address("sender", settings.sender)
        if not 0 < len(settings.recipients) <= MOST_RECIPIENTS:
            raise ValueError(f"recipients: Name 1 to {MOST_RECIPIENTS} addresses.")
        for one in settings.recipients:
            _check_address("recipients", one)
        if (settings.user is None) != (settings.password is None):
            raise ValueError("user, password: Set both, or neither.")
        if settings.tls == "none" and settings.user is not None:
            raise ValueError("tls: Without it the password would be sent unencrypted.")
        if settings.tls == "none" and not settings.allow_private:
            raise ValueError(
                "tls: Without it mails are sent unencrypted; use starttls or implicit, or set "
                "allow_private for a server in a private network."
            )

    def collect_seconds(self, settings: Any) -> float:
        """Return the time for which problems are collected."""
        seconds: float = 60 * settings.collect_minutes
        return seconds

    def open(self, target: ForwarderTarget) -> IDelivery:
        """Prepare mails; each has a connection of its own."""
        delivery: IDelivery = MailDelivery(target)
        return delivery


def _check_address(name: str, address: str) -> None:
    if len(address) > _MOST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise ValueError(
            f"{name}: {address[:60]!r} is not a mail address such as anna@example.com."
        )


@implementer(IDelivery)
class MailDelivery:
    """Mails to the recipients of one forwarder."""

    def __init__(self, target: ForwarderTarget) -> None:
        settings: SmtpSettings = target.settings
        self._target = target
        self._settings = settings
        self._trust = trust_of(settings.authority)
        self._client: MailClient | None = None
        self._partly: tuple[str, frozenset[str]] = "", frozenset()
        """The batch whose mail some recipients have already, and these."""

    def deliver(self, batch: ForwardBatch) -> Deferred[Outcome]:
        """Send a mail about a batch, if there is news in it."""
        sending = Deferred.fromCoroutine(self._deliver(batch))
        return sending.addTimeout(SECONDS, self._target.clock).addErrback(self._not_sent)

    def close(self) -> None:
        """End a connection that is still open."""
        if self._client is not None:
            self._client.abort()

    async def _deliver(self, batch: ForwardBatch) -> Outcome:
        news = collect_news(batch.events)
        if not news:
            return Delivered("Nothing to mail: only details of known problems have changed")
        key, have_it = self._partly
        done = have_it if key == batch.id else frozenset()
        missing = [one for one in self._settings.recipients if one not in done]
        new_client = await deferToThread(_client_type)
        client = new_client(self._mail(batch, news, missing), self._access(), self._target.clock)
        self._client = client
        factory = Factory.forProtocol(lambda: client)
        factory.noisy = False
        await self._endpoint().connect(factory)
        return self._outcome(batch, news, done, await client.done)

    def _mail(self, batch: ForwardBatch, news: ProblemNews, recipients: list[str]) -> OutgoingMail:
        settings, name = self._settings, self._target.name

        def encode(replies: dict[str, SmtpReply]) -> bytes:
            notes = [
                f"This mail was refused for {one}: {reply.words}. Correct the recipients of the "
                f"forwarder: zkpush forwarders set {name}"
                for one, reply in replies.items()
                if reply.code >= 500
            ]
            mail = compose(batch, news, name, settings.sender, settings.recipients)
            return encode_mail(mail, body_of(news, name, notes))

        return OutgoingMail(sender=settings.sender, recipients=recipients, encode=encode)

    def _access(self) -> MailAccess:
        settings = self._settings
        context = None
        if settings.tls == "starttls":
            context = optionsForClientTLS(settings.host, self._trust)
        return MailAccess(
            context=context,
            needs_tls=settings.tls != "none",
            user=settings.user,
            password=settings.password,
        )

    def _endpoint(self) -> GuardedEndpoint:
        settings = self._settings
        return GuardedEndpoint(
            self._target.clock,
            settings.host,
            settings.port or _PORTS[settings.tls],
            settings.tls == "implicit",
            settings.allow_private,
            self._trust,
        )

    def _outcome(
        self, batch: ForwardBatch, news: ProblemNews, done: frozenset[str], result: MailResult
    ) -> Outcome:
        """Return what became of a mail; remember who has it if others should get it again."""
        replies = result.recipients
        refused = [f"{one}: {reply.words}" for one, reply in replies.items() if reply.code >= 500]
        later = [f"{one}: {reply.words}" for one, reply in replies.items() if reply.is_temporary]
        if not result.accepted:
            words = "; ".join(refused + later) or f"Sender refused: {result.last.words}"
            is_later = bool(later) or (not replies and result.last.is_temporary)
            if is_later:
                return RetryLater(quote(f"Asked to wait: {words}"))
            if done:
                return Delivered(quote(f"Not sent to {words}"))
            return RefusedBatch(quote(f"Refused: {words}"))
        if not result.is_sent:
            kind = RetryLater if result.last.is_temporary else RefusedBatch
            return kind(f"The text of the mail was not taken: {result.last.words}")
        if later:
            self._partly = batch.id, done.union(result.accepted)
            return RetryLater(quote(f"Sent, but not to {'; '.join(later)}"))
        self._partly = "", frozenset()
        words = f"{result.last.words}; sent to {', '.join(sorted(done.union(result.accepted)))}"
        if refused and news.is_test:
            return RefusedBatch(quote(f"Refused: {'; '.join(refused)}; {words}"))
        if refused:
            words = f"Not sent to {'; '.join(refused)}; {words}"
        return Delivered(quote(words))

    def _not_sent(self, failure: Any) -> Outcome:
        """Return the outcome of a mail without an answer."""
        error = failure.value
        if isinstance(error, VerificationError):
            host = self._settings.host
            return RetryLater(f"The certificate of the server is not for {host}")
        if isinstance(error, TLSFault):
            return RetryLater(
                f"TLS failed: {quote(_reasons(error))}. Check host, port and tls, and set "
                "authority if the system does not trust the certificate."
            )
        if isinstance(error, MailFailed):
            return RetryLater(f"Not sent: {error}")
        return unreached(failure, SECONDS)


def _client_type() -> type[MailClient]:
    """Import the client; on a thread, as that may take seconds."""
    from .mailclient import MailClient

    return MailClient


def _reasons(error: TLSFault) -> str:
    """Return the reasons in an error of OpenSSL."""
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(str(entry[-1]) for entry in entries) or "the connection was ended"
