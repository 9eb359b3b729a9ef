"""MQTT client that publishes messages with QoS 1: paho-mqtt, with the results as values.

Everything here blocks, and runs on the thread of a forwarder. paho reads from the connection on a
thread of its own, so that an idle connection is kept. A lost connection is never resumed: messages
that were not acknowledged belong to a batch, which is delivered again.
"""

from __future__ import annotations

import queue
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ..replies import quote
from .brokers import (
    OF_SERVER,
    BrokerAccess,
    BrokerReply,
    BrokerUnreachable,
    ConnectionFault,
    OutgoingMessage,
)
from .hosts import HostUnreachable, permitted_thd

CONNECT_SECONDS = 5.0
"""Longest time to connect to one of several addresses, and for the answer to that."""
KEEPALIVE_SECONDS = 60
MOST_INFLIGHT = 20
"""Maximum number of messages that are not acknowledged, unless the broker wants fewer."""
MOST_RECEIVED = 65_536
"""Maximum size of a packet from the broker, in bytes."""
HEADER_BYTES = 64
"""What a message takes beside topic and payload, at most."""
TOO_LARGE = 0x95
_LOST = "The connection was lost"
_VERSION_REFUSED = 0x84
_JSON = "application/json"
_SILENT = ConnectionFault("The broker did not acknowledge in time", is_innocent=True)


class NamedContext(ssl.SSLContext):
    """Settings of TLS that verify the certificate of one host, whichever address is connected to.

    paho takes the address that it connects to for the name of the host.
    """

    host = ""

    def wrap_socket(self, sock: socket.socket, *args: Any, **more: Any) -> ssl.SSLSocket:
        """Wrap a socket that is connected to an address of the host."""
        more["server_hostname"] = self.host
        return super().wrap_socket(sock, *args, **more)


def context_of(access: BrokerAccess) -> NamedContext:
    """Return the settings of TLS; `OSError` or `ValueError` if files are missing or malformed."""
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.host = access.host
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if access.authority is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=access.authority)
    if access.certificate is not None:
        # A key with a passphrase is an error: OpenSSL would ask for it on the terminal.
        context.load_cert_chain(access.certificate, access.key, password=lambda: b"")
    return context


@attrs.frozen
class _Connected:
    reason: ReasonCode
    properties: Properties | None


@attrs.frozen
class _Acknowledged:
    mid: int
    reason: ReasonCode
    properties: Properties


@attrs.frozen
class _Ended:
    is_by_server: bool
    reason: ReasonCode


def connect_thd(access: BrokerAccess, until: float) -> BrokerSession:
    """Connect to an address that was checked; `BrokerUnreachable` if none of them answers.

    `until` is the end of the delivery, by the monotonic clock.
    """
    fault: BrokerUnreachable | None = None
    try:
        context = context_of(access) if access.is_secure else None
    except (OSError, ValueError) as error:
        raise BrokerUnreachable(f"certificates cannot be read: {_text(error)}") from None
    try:
        addresses = permitted_thd(access.host, access.port, allow_private=access.allow_private)
    except HostUnreachable as error:
        raise BrokerUnreachable(str(error)) from None
    for address in addresses:
        session = BrokerSession(access, context)
        try:
            session.open_thd(address, until)
        except BrokerUnreachable as error:
            session.close_thd()
            fault = fault or error
        else:
            return session
    assert fault is not None  # noqa: S101 - there is an address
    raise fault


class BrokerSession:
    """A connection to a broker."""

    def __init__(self, access: BrokerAccess, context: NamedContext | None) -> None:
        """`context` is None without TLS."""
        self._access = access
        self._said: queue.SimpleQueue[_Connected | _Acknowledged | _Ended] = queue.SimpleQueue()
        self._most_bytes: int | None = None
        self._most_inflight = MOST_INFLIGHT
        version = MQTTProtocolVersion.MQTTv5 if access.is_v5 else MQTTProtocolVersion.MQTTv311
        self._client = client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=access.client_id,
            protocol=version,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_SECONDS
        if access.user is not None:
            client.username_pw_set(access.user, access.password)
        if context is not None:
            client.tls_set_context(context)
        client.on_connect = self._connected
        client.on_publish = self._acknowledged
        client.on_disconnect = self._ended

    def open_thd(self, address: str, until: float) -> None:
        """Connect; `BrokerUnreachable` says why the broker does not want that."""
        properties = None
        if self._access.is_v5:
            properties = Properties(PacketTypes.CONNECT)
            properties.MaximumPacketSize = MOST_RECEIVED
        try:
            self._client.connect(
                address, self._access.port, KEEPALIVE_SECONDS, properties=properties
            )
        except ssl.SSLError as error:
            raise BrokerUnreachable(f"TLS failed: {_tls_words(error)}") from None
        except (OSError, ValueError) as error:
            raise BrokerUnreachable(_text(error)) from None
        self._client.loop_start()
        try:
            said = self._next_thd(min(until, time.monotonic() + CONNECT_SECONDS))
        except queue.Empty:
            raise BrokerUnreachable("the broker did not answer in time") from None
        if not isinstance(said, _Connected):
            raise BrokerUnreachable("the broker ended the connection; check port, tls and protocol")
        if said.reason.is_failure:
            raise BrokerUnreachable(self._refusal(said))
        self._limit(said.properties)

    def publish_thd(
        self, messages: Sequence[OutgoingMessage], until: float
    ) -> tuple[Mapping[int, BrokerReply], ConnectionFault | None]:
        """Publish messages; return the replies by place, and what ended the connection, if so."""
        replies: dict[int, BrokerReply] = {}
        unanswered: dict[int, int] = {}
        """Places of messages by their packet identifiers."""
        waiting = deque(range(len(messages)))
        while waiting or unanswered:
            if waiting and len(unanswered) < self._most_inflight:
                place = waiting.popleft()
                message = messages[place]
                if self._is_too_large(message):
                    words = f"Packet too large: the broker takes {self._most_bytes} bytes"
                    replies[place] = BrokerReply(TOO_LARGE, words)
                    continue
                if not unanswered and not self._said.empty():  # only an end comes unasked
                    return replies, ConnectionFault(_LOST, is_innocent=True)
                info = self._client.publish(
                    message.topic, message.payload, qos=1, properties=self._properties(message)
                )
                unanswered[info.mid] = place
                if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                    continue
                # The connection has ended, perhaps because of this very message: paho says so too
                # if its thread has sent it and ended since. Why it ended is the next thing it says.
                waiting.clear()
            try:
                said = self._next_thd(until)
            except queue.Empty:
                return replies, _SILENT
            if isinstance(said, _Ended):
                return replies, _fault(said)
            if isinstance(said, _Acknowledged) and said.mid in unanswered:
                words = _words(said.reason, said.properties)
                replies[unanswered.pop(said.mid)] = BrokerReply(said.reason.value, words)
        return replies, None

    def _is_too_large(self, message: OutgoingMessage) -> bool:
        size = HEADER_BYTES + len(message.topic.encode()) + len(message.payload)
        return self._most_bytes is not None and size > self._most_bytes

    def close_thd(self) -> None:
        """Disconnect, and wait for the end of the thread of paho."""
        self._client.disconnect()
        self._client.loop_stop()

    def _next_thd(self, until: float) -> _Connected | _Acknowledged | _Ended:
        return self._said.get(timeout=max(until - time.monotonic(), 0.0))

    def _limit(self, properties: Properties | None) -> None:
        """Follow the limits of the broker; `BrokerUnreachable` if it takes no messages of QoS 1."""
        if getattr(properties, "MaximumQoS", 1) < 1:
            raise BrokerUnreachable("the broker takes messages of QoS 0 only")
        most = getattr(properties, "ReceiveMaximum", MOST_INFLIGHT)
        self._most_inflight = min(most, MOST_INFLIGHT)
        self._most_bytes = getattr(properties, "MaximumPacketSize", None)

    def _refusal(self, said: _Connected) -> str:
        words = f"the broker refused the connection: {_words(said.reason, said.properties)}"
        if said.reason.value == _VERSION_REFUSED and self._access.is_v5:
            words += "; set protocol=3.1.1"
        return words

    def _properties(self, message: OutgoingMessage) -> Properties | None:
        if not self._access.is_v5:
            return None
        properties = Properties(PacketTypes.PUBLISH)
        properties.PayloadFormatIndicator = 1  # UTF-8
        properties.ContentType = _JSON
        if message.expiry_seconds is not None:
            properties.MessageExpiryInterval = message.expiry_seconds
        return properties

    # Called on the thread of paho.

    def _connected(
        self,
        client: Client,
        data: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._said.put(_Connected(reason, properties))

    def _acknowledged(
        self, client: Client, data: Any, mid: int, reason: ReasonCode, properties: Properties
    ) -> None:
        self._said.put(_Acknowledged(mid, reason, properties))

    def _ended(
        self,
        client: Client,
        data: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._said.put(_Ended(flags.is_disconnect_packet_from_server, reason))


def _fault(said: _Ended) -> ConnectionFault:
    """Tell an end that a message may have caused; with MQTT 3.1.1 a broker can only hang up."""
    if not said.is_by_server:
        words = "The connection was lost before messages were acknowledged"
        return ConnectionFault(words, is_innocent=False)
    words = f"The broker ended the connection: {said.reason.getName()}"
    return ConnectionFault(words, is_innocent=said.reason.value in OF_SERVER)


def _words(reason: ReasonCode, properties: Properties | None) -> str:
    """Return the name of a reason, and what the broker says about it."""
    more = quote(str(getattr(properties, "ReasonString", "")))
    return f"{reason.getName()}: {more}" if more else str(reason.getName())


def _tls_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.reason or _text(error)


def _text(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
