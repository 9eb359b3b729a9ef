"""The kind `webhook`: signed HTTP requests, by the Standard Webhooks 1.0 scheme."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.plugin import IPlugin
from zope.interface import implementer

from ... import __version__
from ...interfaces import IDelivery, IForwarder
from ...manage.times import instant
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
from .addresses import check_url
from .replies import REDIRECTED, reply_words, retry_after, unreached
from .signing import sign

if TYPE_CHECKING:
    from twisted.web.http_headers import Headers

SECONDS = 20.0
"""Longest time of a request, from the resolution of the name to the end of the reply."""
_PATIENT = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Statuses that say nothing about the events."""


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
        return sending.addTimeout(SECONDS, self._target.clock).addErrback(unreached, SECONDS)

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
        words = reply_words(status, text)
        if 200 <= status < 300:
            return Delivered(words)
        if status == HTTPStatus.GONE:
            return Gone(words)
        wait = retry_after(headers.getRawHeaders("retry-after", [None])[-1], self._target.wall())
        if status in _PATIENT:
            return RetryLater(words, wait)
        if 300 <= status < 400:
            words += REDIRECTED
        return RefusedBatch(words, wait)
