"""The kind `mqtt`: a message for each event, at a topic of an MQTT broker."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.plugin import IPlugin
from zope.interface import implementer

from ....interfaces import IDelivery, IForwarder
from ....values.forwarding import (
    BatchLimits,
    Delivered,
    ForwardBatch,
    ForwardedEvent,
    ForwarderTarget,
    Outcome,
    RefusedBatch,
    RetryLater,
)
from ..replies import quote
from .brokers import BrokerAccess, BrokerReply, BrokerUnreachable, OutgoingMessage
from .hosts import check_host, trust_of
from .thread import DeliveryThread, StillBusy

if TYPE_CHECKING:
    from .mqttclient import BrokerSession

SECONDS = 25.0
"""Longest time of a delivery, from the resolution of the name on."""
MOST_TOPIC = 200
"""Maximum length of the template of a topic, in characters."""
MOST_TEXT = 256
"""Maximum length of a user name or a client identifier, in characters."""
NOTHING = "-"
"""Level of a topic for an event without a terminal, or a terminal without an area."""
PORTS = {True: 8883, False: 1883}
_MISSING = "The MQTT client is missing: pip install 'zkpush[mqtt]'"
_FIELD = re.compile(r"\{([^{}]*)\}")
_FIELDS = ("device", "type", "area")
_UNFIT = re.compile(r"[/+#$\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that would change the levels of a topic, or are not permitted in it."""


class MqttSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A broker, and the topics of messages."""

    host: Annotated[
        str, Meta(description="Name or address of the broker", examples=["mqtt.example.com"])
    ]
    port: Annotated[
        int | None, Meta(description="Its port; by default 8883 with TLS, 1883 without")
    ] = None
    tls: Annotated[
        bool, Meta(description="Whether the connection is encrypted; false needs allow_private")
    ] = True
    authority: Annotated[
        str | None,
        Meta(
            description="Certificate (PEM) of the authority that has signed that of the broker, if "
            "the system does not trust it already"
        ),
    ] = None
    certificate: Annotated[
        str | None,
        Meta(
            description="Absolute path of a file on the server with a client certificate (PEM); it "
            "is read at each connection"
        ),
    ] = None
    key: Annotated[
        str | None,
        Meta(
            description="Absolute path of the file with its private key, without a passphrase, if "
            "the key is not in the same file"
        ),
    ] = None
    user: Annotated[str | None, Meta(description="User at the broker; null for none")] = None
    password: Annotated[
        str | None, Meta(description="Password of the user", extra={"secret": True})
    ] = None
    client_id: Annotated[
        str | None,
        Meta(
            description="Client identifier, unique at the broker; null lets the broker choose one"
        ),
    ] = None
    protocol: Annotated[
        Literal[5, "3.1.1"],
        Meta(
            description="Version of MQTT; with 3.1.1 a broker cannot say that it refuses an event"
        ),
    ] = 5
    topic: Annotated[
        str,
        Meta(
            description="Topic of an event: {device} is the serial number of the terminal, {type} "
            "the kind of the event, {area} the area of the terminal"
        ),
    ] = "zkpush/{device}/{type}"
    expiry_seconds: Annotated[
        Annotated[int, Meta(ge=1, le=4_294_967_295)] | None,
        Meta(
            description="Time for which the broker keeps a message for a subscriber that is away; "
            "needs MQTT 5. null for as long as it likes"
        ),
    ] = None
    allow_private: Annotated[
        bool,
        Meta(
            description="Whether the broker may be in a private network or on this machine, and be "
            "spoken to without TLS"
        ),
    ] = False


@implementer(IPlugin, IForwarder)
class Mqtt:
    """Publishes events, each as a message."""

    name = "mqtt"
    summary = "Messages to an MQTT broker"
    settings = MqttSettings
    limits = BatchLimits(events=100, bytes=100_000)
    makes_secret = False

    def check(self, settings: Any) -> None:
        """Check the settings; whether the broker accepts them is seen at the first delivery."""
        if importlib.util.find_spec("paho") is None:
            raise ValueError(f"kind: {_MISSING}")
        check_host(settings.host, settings.port)
        trust_of(settings.authority)
        _check_security(settings)
        for name in ("user", "client_id"):
            text = getattr(settings, name)
            if text is not None and not (0 < len(text) <= MOST_TEXT and text.isprintable()):
                raise ValueError(f"{name}: It is a text of 1 to {MOST_TEXT} characters.")
        if settings.password is not None and settings.user is None:
            raise ValueError("user: Name the user to whom the password belongs.")
        if settings.expiry_seconds is not None and settings.protocol != 5:
            raise ValueError("expiry_seconds: MQTT 3.1.1 has no expiry; use protocol=5.")
        _check_topic(settings.topic)

    def open(self, target: ForwarderTarget) -> IDelivery:
        """Prepare; the first delivery connects."""
        delivery: IDelivery = MqttDelivery(target)
        return delivery


def _check_security(settings: MqttSettings) -> None:
    if not settings.tls and not settings.allow_private:
        raise ValueError(
            "tls: Without it events are sent unencrypted; set allow_private for a broker in a "
            "private network."
        )
    for name in ("certificate", "key"):
        path = getattr(settings, name)
        if path is not None and not pathlib.PurePosixPath(path).is_absolute():
            raise ValueError(f"{name}: It is the absolute path of a file on the server.")
    if settings.key is not None and settings.certificate is None:
        raise ValueError("certificate: Name the certificate to which the key belongs.")
    if settings.certificate is not None and not settings.tls:
        raise ValueError("tls: A client certificate needs TLS.")


def _check_topic(template: str) -> None:
    """Raise `ValueError` unless a template makes topics that a message can be published at."""
    if not 0 < len(template) <= MOST_TOPIC or template.startswith("$"):
        raise ValueError(
            f"topic: It has 1 to {MOST_TOPIC} characters, and does not begin with $: topics such "
            "as $SYS are those of the broker itself."
        )
    unknown = [name for name in _FIELD.findall(template) if name not in _FIELDS]
    rest = _FIELD.sub("", template)
    if unknown or "{" in rest or "}" in rest:
        what = f"{{{unknown[0][:40]}}}" if unknown else template[:40]
        raise ValueError(f"topic: {what} is no field; there are {{device}}, {{type}}, {{area}}.")
    if _UNFIT.search(rest.replace("/", "").replace("$", "")):
        raise ValueError("topic: + and # are wildcards of subscribers, and cannot be part of it.")


def topic_of(template: str, event: ForwardedEvent) -> str:
    """Return the topic of an event; no value of an event adds a level or a wildcard."""
    values = {"device": event.data.get("device"), "type": event.type, "area": event.area}

    def level(found: re.Match[str]) -> str:
        value = values[found[1]]
        return _UNFIT.sub("_", str(value)) if value else NOTHING

    return _FIELD.sub(level, template)


@implementer(IDelivery)
class MqttDelivery:
    """Messages of one forwarder, on a connection that is kept."""

    def __init__(self, target: ForwarderTarget) -> None:
        settings: MqttSettings = target.settings
        self._settings = settings
        self._access = BrokerAccess(
            host=settings.host,
            port=settings.port or PORTS[settings.tls],
            is_secure=settings.tls,
            authority=settings.authority,
            certificate=settings.certificate,
            key=settings.key,
            user=settings.user,
            password=settings.password,
            client_id=settings.client_id,
            is_v5=settings.protocol == 5,
            allow_private=settings.allow_private,
        )
        self._thread = DeliveryThread(target.clock, f"zkpush forwarder {target.name}")
        self._session: BrokerSession | None = None
        self._partly: tuple[str, dict[str, BrokerReply]] = "", {}
        """The batch of which the broker has some messages already, and its replies to them."""

    def deliver(self, batch: ForwardBatch) -> Deferred[Outcome]:
        """Publish the events of a batch; the broker has those that it acknowledges."""
        sending: Deferred[Outcome] = self._thread.run(lambda: self._deliver_thd(batch))
        return sending.addErrback(_unsent)

    def close(self) -> None:
        """Disconnect, and end the thread."""
        self._thread.close(self._disconnect_thd)

    def _deliver_thd(self, batch: ForwardBatch) -> Outcome:
        try:
            from .mqttclient import connect_thd
        except ImportError:
            raise BrokerUnreachable(_MISSING) from None
        until = time.monotonic() + SECONDS
        key, before = self._partly
        replies = dict(before) if key == batch.id else {}
        was_connected = self._session is not None
        fault = None
        # The broker may have ended an idle connection: that costs one more attempt at once.
        for _ in range(2 if was_connected else 1):
            missing = [one for one in batch.events if one.id not in replies]
            if self._session is None:
                self._session = connect_thd(self._access, until)
            messages = [self._message(event) for event in missing]
            answered, fault = self._session.publish_thd(messages, until)
            replies |= {missing[place].id: reply for place, reply in answered.items()}
            taken = {one: reply for one, reply in replies.items() if reply.is_taken}
            self._partly = batch.id, taken
            if fault is None:
                break
            self._disconnect_thd()
        if fault is not None:
            return RetryLater(fault.words) if fault.is_innocent else RefusedBatch(fault.words)
        return self._outcome(batch.events, replies)

    def _message(self, event: ForwardedEvent) -> OutgoingMessage:
        return OutgoingMessage(
            topic=topic_of(self._settings.topic, event),
            payload=msgspec.json.encode(event),
            expiry_seconds=self._settings.expiry_seconds,
        )

    def _outcome(
        self, events: Sequence[ForwardedEvent], replies: dict[str, BrokerReply]
    ) -> Outcome:
        """Return what became of a batch whose messages were all answered."""
        answers = [(one.id, topic_of(self._settings.topic, one), replies[one.id]) for one in events]
        waiting = [(topic, one) for _, topic, one in answers if one.asks_for_patience]
        if waiting:
            topic, reply = waiting[0]
            return RetryLater(quote(f"{topic}: {reply.words}"))
        refused = {
            key: quote(f"{topic}: {reply.words}")
            for key, topic, reply in answers
            if not reply.is_taken
        }
        if len(refused) == len(events):
            return RefusedBatch(f"Refused: {next(iter(refused.values()))}")
        self._partly = "", {}
        unheard = [topic for _, topic, reply in answers if reply.has_no_subscriber]
        words = f"The broker has {_messages(len(events) - len(refused))}"
        if unheard:
            words += f"; nobody subscribes to {unheard[0]}"
        return Delivered(quote(words), refused)

    def _disconnect_thd(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close_thd()


def _messages(count: int) -> str:
    return "the message" if count == 1 else f"{count} messages"


def _unsent(failure: Any) -> Outcome:
    """Return the outcome of a delivery that could not begin."""
    failure.trap(BrokerUnreachable, StillBusy)
    return RetryLater(quote(f"Not sent: {failure.value}"))
