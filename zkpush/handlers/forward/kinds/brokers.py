"""What passes between the kind `mqtt` and its client."""

from __future__ import annotations

import attrs

QUOTA_EXCEEDED = 0x97
NO_SUBSCRIBER = 0x10
FIRST_ERROR = 0x80
"""Reason codes of MQTT 5 from here on are errors."""
OF_SERVER = frozenset({0x88, 0x89, 0x8B, 0x8D, 0x8E, 0x96, 0x97, 0x98, 0x9C, 0x9D, 0x9F, 0xA0})
"""Reasons of the end of a connection that say nothing about the last messages: the server stops, is
busy, moves, or another client has taken the session over."""


class BrokerUnreachable(Exception):
    """No connection to the broker; the message says why."""


@attrs.frozen(kw_only=True)
class BrokerAccess:
    """How to connect to a broker."""

    host: str
    port: int
    is_secure: bool
    authority: str | None
    """Certificate (PEM) of the authority to trust; None for those of the system."""
    certificate: str | None
    """Path of a client certificate."""
    key: str | None
    user: str | None
    password: str | None = attrs.field(repr=False)
    client_id: str | None
    is_v5: bool
    allow_private: bool


@attrs.frozen(kw_only=True)
class OutgoingMessage:
    """A message to publish."""

    topic: str
    payload: bytes
    expiry_seconds: int | None


@attrs.frozen
class BrokerReply:
    """The acknowledgement of one message."""

    code: int
    """Reason code of MQTT 5 (section 2.4); 0 with MQTT 3.1.1."""
    words: str

    @property
    def is_taken(self) -> bool:
        """Whether the broker has the message."""
        return self.code < FIRST_ERROR

    @property
    def has_no_subscriber(self) -> bool:
        """Whether the broker says that nobody subscribes to the topic."""
        return self.code == NO_SUBSCRIBER

    @property
    def asks_for_patience(self) -> bool:
        """Whether a quota is exhausted for now."""
        return self.code == QUOTA_EXCEEDED


@attrs.frozen
class ConnectionFault:
    """How a connection was lost while messages were not acknowledged."""

    words: str
    is_innocent: bool
    """Whether it says nothing about these messages."""
