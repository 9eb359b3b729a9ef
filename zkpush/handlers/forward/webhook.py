"""The kind `webhook`: signed HTTP requests, by the Standard Webhooks 1.0 scheme."""

from __future__ import annotations

import email.utils
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from hyperlink import URL
from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.plugin import IPlugin
from zope.interface import implementer

from ... import __version__
from ...interfaces import IDelivery, IForwarder
from ...manage.times import instant
from ...protocol.text import visible
from ...values.forwarding import (
    BatchLimits,
    Delivered,
    ForwardBatch,
    ForwarderTarget,
    Gone,
    Outcome,
    RefusedBatch,
    RetryLater,
)
from .addresses import ForbiddenAddress
from .signing import sign

if TYPE_CHECKING:
    from twisted.web.http_headers import Headers

SECONDS = 20.0
"""Longest time of a request, from the resolution of the name to the end of the reply."""
MOST_QUOTED = 200
"""Maximum length of a quoted reply, in characters."""
MOST_URL = 2000
_PATIENT = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Statuses that say nothing about the events."""
_PLAIN = (
    "url: plain http would send the events unencrypted; use https, or set allow_private for a "
    "receiver in a private network."
)


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a webhook goes."""

    url: Annotated[str, Meta(description="Address of the receiver, https")]
    allow_private: Annotated[
        bool,
        Meta(
            description="Whether the receiver may be in a private network or on this machine, and "
            "speak plain http"
        ),
    ] = False


@implementer(IPlugin, IForwarder)
class Webhook:
    """Posts batches of events to a URL."""

    name = "webhook"
    summary = "Signed HTTP requests to a URL (Standard Webhooks)"
    settings = WebhookSettings
    limits = BatchLimits(events=100, bytes=19_000)
    makes_secret = True

    def check(self, settings: Any) -> None:
        """Check the URL."""
        check_url(settings.url, allow_private=settings.allow_private)

    def open(self, target: ForwarderTarget) -> IDelivery:
        """Make a client; it connects at the first delivery."""
        delivery: IDelivery = WebhookDelivery(target)
        return delivery


def check_url(text: str, *, allow_private: bool) -> None:
    """Raise `ValueError` unless a text is the URL of a permitted receiver."""
    try:
        url = URL.from_text(text)
        port = url.port
    except ValueError:
        raise ValueError(f"url: {text[:60]!r} is not a URL.") from None
    if url.scheme not in ("http", "https") or not url.host or len(text) > MOST_URL:
        raise ValueError("url: It is a URL such as https://payroll.example.com/zkpush.")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("url: Write it in ASCII, without spaces; percent-encode other characters.")
    if url.userinfo or url.fragment:
        raise ValueError("url: A user, a password or a fragment cannot be part of it.")
    if port is None or not 0 < port < 65536:
        raise ValueError("url: The port is a number from 1 to 65535.")
    if url.scheme == "http" and not allow_private:
        raise ValueError(_PLAIN)


def encode_batch(batch: ForwardBatch) -> bytes:
    """Encode the body of a request; the same at each attempt."""
    return msgspec.json.encode(
        {
            "type": "events",
            "timestamp": instant(batch.made_at),
            "data": {"events": batch.events},
        }
    )


@implementer(IDelivery)
class WebhookDelivery:
    """Requests to one receiver."""

    def __init__(self, target: ForwarderTarget) -> None:
        from .agent import ReceiverClient  # with treq, which only a running forwarder needs

        self._target = target
        self._client = ReceiverClient(target.clock, allow_private=target.settings.allow_private)

    def deliver(self, batch: ForwardBatch) -> Deferred[Outcome]:
        """Post a batch."""
        sending = Deferred.fromCoroutine(self._deliver(batch))
        return sending.addTimeout(SECONDS, self._target.clock).addErrback(_unreached)

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    async def _deliver(self, batch: ForwardBatch) -> Outcome:
        body = encode_batch(batch)
        timestamp = int(self._target.wall())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"zkpush/{__version__}",
            "webhook-id": batch.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self._target.secrets(), batch.id, timestamp, body),
        }
        status, answered, text = await self._client.post(self._target.settings.url, body, headers)
        return self._outcome(status, answered, text)

    def _outcome(self, status: int, headers: Headers, text: bytes) -> Outcome:
        words = _words(status, text)
        if 200 <= status < 300:
            return Delivered(words)
        if status == HTTPStatus.GONE:
            return Gone(words)
        wait = retry_after(headers.getRawHeaders("retry-after", [None])[-1], self._target.wall())
        if status in _PATIENT:
            return RetryLater(words, wait)
        if 300 <= status < 400:
            words += "; redirects are not followed: set the URL to the new address"
        return RefusedBatch(words, wait)


def _words(status: int, text: bytes) -> str:
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    quoted = visible(text.decode("utf-8", "replace").strip())[:MOST_QUOTED]
    return f"HTTP {status}{phrase}" + (f": {quoted}" if quoted else "")


def retry_after(text: str | None, now: float) -> float | None:
    """Parse Retry-After, in seconds or as a date; None if it is absent or malformed."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None


def _unreached(failure: Any) -> Outcome:
    """Return the outcome of a request without an answer."""
    error = failure.value
    if isinstance(error, TimedOut):
        return RetryLater(f"No answer within {SECONDS:.0f} seconds")
    if isinstance(error, ForbiddenAddress):
        return RetryLater(f"Not connected: {error}")
    reasons = [str(one.value) for one in getattr(error, "reasons", None) or ()] or [str(error)]
    return RetryLater(visible(f"{type(error).__name__}: {reasons[0]}")[:MOST_QUOTED])
