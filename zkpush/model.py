"""Values passed between layers: frozen, typed, without behaviour of their own.

Instants are integers, milliseconds since the epoch, in attributes whose names end in `_at`. `time`
is a terminal's own wall clock, `YYYY-MM-DD HH:MM:SS`, without a zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from .attributes import Attribute, declared
from .phrases import Phrase, StoredPhrase, restored, stored_phrase
from .problems import ProblemCode
from .protocol.addresses import canonical_networks
from .protocol.dialect import FIRST_FAMILY, Dialect, dialect_of
from .protocol.fields import Scope
from .protocol.text import TextEncoding
from .protocol.times import check_zone
from .protocol.versions import check_version
from .values.devicewords import (
    ENCODING_WORDS,
    ENCRYPTION_WORDS,
    STATE_WORDS,
    TOKEN_WORDS,
    device_type_words,
    language_words,
)
from .values.sessions import EncryptionPolicy, SessionState, SessionToken, TokenPolicy

DEFAULT_AREA = "default"
"""Area of terminals without one."""


class DeviceState(StrEnum):
    """Admission of a terminal."""

    PENDING = "pending"
    """Seen, and awaiting approval; its requests are refused, and none of its data is stored."""
    APPROVED = "approved"
    BLOCKED = "blocked"
    RETIRED = "retired"
    """Out of use: refused and not listed, while its records stay."""

    @property
    def is_refused(self) -> bool:
        """Whether an operator has decided that the terminal is refused."""
        return self in (DeviceState.BLOCKED, DeviceState.RETIRED)


class Problem(msgspec.Struct, frozen=True):
    """A condition of a terminal that needs a person's attention."""

    code: str
    detail: str
    """Observed facts; a `Phrase` unless a version that stored none wrote it."""
    since_at: int
    said: StoredPhrase | None = None
    """The phrase of the detail, which is stored beside it; set from the detail."""

    def __post_init__(self) -> None:
        """Take the phrase of the detail, or restore it after reading."""
        if isinstance(self.detail, Phrase):
            msgspec.structs.force_setattr(self, "said", stored_phrase(self.detail))
        elif self.said is not None:
            msgspec.structs.force_setattr(self, "detail", restored(self.detail, self.said))


OF_ZONE = frozenset({ProblemCode.NO_ZONE, ProblemCode.PROXY_DATE})
"""Problems that end when the zone of a terminal is set."""


def no_zone(now: int) -> Problem:
    """Return the problem of an approved terminal without a zone."""
    return Problem(
        ProblemCode.NO_ZONE,
        Phrase("Its records have no instant, `utc`, and it is told no time."),
        now,
    )


MOST_NAME = 200
"""Maximum length of a terminal's alias and area, which every list of terminals includes."""
MOST_NETWORKS = 256
"""Maximum number of networks of a terminal."""
_FINGERPRINT = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)


def check_fingerprint(text: str) -> str:
    """Return a fingerprint in lower case; `ValueError` if it is not 64 hex digits."""
    found = text.strip().lower()
    if not _FINGERPRINT.match(found):
        raise ValueError(
            Phrase(
                "comm_key: The fingerprint of a pushcommkey has 64 hex digits; `zkpush devices "
                "show SN` prints those that the terminal offered."
            )
        )
    return found


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal, as the store knows it."""

    id: int
    sn: Annotated[str, Attribute(meaning="Serial number", is_shown=True)]
    alias: Annotated[
        str | None,
        Attribute(
            meaning="Name for people",
            is_shown=True,
            is_changeable=True,
            is_news=True,
            longest=MOST_NAME,
            example="Front door",
        ),
    ] = None
    state: Annotated[
        DeviceState,
        Attribute(
            meaning="Admission; an operator sets approved or blocked, and retires terminals",
            is_shown=True,
            is_changeable=True,
            body=Literal["approved", "blocked"],
            words=STATE_WORDS.get,
            check=DeviceState,
            is_news=True,
        ),
    ]
    replaced_by: Annotated[
        str | None,
        Attribute(
            meaning="Serial number of the terminal that has replaced it",
            is_shown=True,
            is_news=True,
        ),
    ] = None
    area: Annotated[
        str | None,
        Attribute(
            meaning="Area where the terminal is installed",
            is_shown=True,
            is_changeable=True,
            is_news=True,
            longest=MOST_NAME,
        ),
    ] = None
    timezone: Annotated[
        str | None,
        Attribute(
            meaning="IANA zone of its wall clock; without one, the server sends it no time",
            is_shown=True,
            is_changeable=True,
            is_news=True,
            is_told=True,
            check=check_zone,
            example="Europe/Berlin",
        ),
    ] = None
    """None if it is not known."""
    session: Annotated[SessionState, Attribute(is_news=True)] = SessionState.NEW
    push_version: Annotated[
        str | None, Attribute(meaning="Reported protocol version", is_shown=True)
    ] = None
    version: Annotated[
        str | None,
        Attribute(
            meaning="Actual protocol version, where the reported one is wrong",
            is_shown=True,
            is_changeable=True,
            check=check_version,
            example="2.4.1",
        ),
    ] = None
    encoding: Annotated[
        TextEncoding | None,
        Attribute(
            meaning="Encoding of its texts, where names are unreadable; without one, utf-8, and on "
            "terminals set to Chinese gb18030 where a text is not utf-8",
            is_shown=True,
            is_changeable=True,
            words=ENCODING_WORDS.get,
            example="gb18030",
        ),
    ] = None
    shown_encoding: TextEncoding | None = None
    """The other encoding than that of its language in which a terminal set to Chinese has sent
    texts, so that it is sent texts in it."""
    language: Annotated[
        str | None,
        Attribute(meaning="Language number, spec Appendix 2", is_shown=True, words=language_words),
    ] = None
    device_type: Annotated[
        str | None,
        Attribute(meaning="Reported device type", is_shown=True, words=device_type_words),
    ] = None
    family: Annotated[
        str,
        Attribute(meaning="Its protocol: a terminal family", is_shown=True, is_news=True),
    ] = FIRST_FAMILY
    offered_family: Annotated[
        str | None,
        Attribute(
            meaning="Another reported family; approve the terminal again to accept it",
            is_shown=True,
        ),
    ] = None
    comm_key: Annotated[
        str | None,
        Attribute(
            meaning="Fingerprint of the required pushcommkey; without one, any key or none is "
            "accepted",
            is_changeable=True,
            scope=Scope.ADMIN,
            check=check_fingerprint,
        ),
    ] = None
    """SHA-256 in hex, pinned by an operator."""
    told_time_zone: str | None = None
    """TimeZone value of its last exchange; empty if none was sent, None if it is to be repeated."""
    encryption: Annotated[
        EncryptionPolicy | None,
        Attribute(
            meaning="Its own encryption policy; without one, the configured policy applies. "
            "prefer: encrypt if both sides can; require: always; never: not at all",
            is_shown=True,
            words=ENCRYPTION_WORDS.get,
            is_changeable=True,
            scope=Scope.ADMIN,
            is_told=True,
            ends_keys=True,
        ),
    ] = None
    cipher: Annotated[
        str | None,
        Attribute(
            meaning="Its own cipher suite; without one, the configured suite is used",
            is_shown=True,
            is_changeable=True,
            scope=Scope.ADMIN,
            is_told=True,
            ends_keys=True,
        ),
    ] = None
    generation: int = 0
    """Incremented on every change of its session keys; caches compare it."""
    token_policy: Annotated[
        TokenPolicy,
        Attribute(
            meaning="Check of its session token. check: required once the terminal has shown that "
            "it returns it; require: required from the first request on; ignore: not checked",
            alias="token",
            is_shown=True,
            words=TOKEN_WORDS.get,
            is_changeable=True,
            scope=Scope.ADMIN,
        ),
    ] = TokenPolicy.CHECK
    tokens: Annotated[tuple[SessionToken, ...], Attribute(is_hidden=True)] = ()
    """Tokens: unproved ones first, newest first; then proved ones, oldest first."""
    returns_token: Annotated[
        bool,
        Attribute(
            meaning="Whether it has shown that it returns tokens; `token` set to check resets it",
            is_shown=True,
        ),
    ] = False
    bare_addresses: tuple[str, ...] = ()
    """Addresses served without a token before the terminal first returned one."""
    clock_skew_seconds: int | None = None
    """Seconds that its clock is ahead of the server's, negative if behind; see `device.skew`."""
    encrypts: bool = False
    """Whether it has had an encrypted session since an operator last set its encryption policy."""
    address: str | None = None
    firmware: Annotated[
        str | None, Attribute(meaning="Firmware version", is_shown=True, is_news=True)
    ] = None
    created_at: int
    last_seen_at: int | None = None
    """None for a terminal that an operator added and that has sent no request yet."""
    poll_interval: int | None = None
    """Seconds between its requests, if it makes them less often than it is told."""
    settings: Annotated[
        dict[str, str | int],
        Attribute(
            meaning="Options that override the general ones for it; null removes one",
            is_shown=True,
            is_changeable=True,
            body=dict[str, str | int | None],
            is_news=True,
            is_told=True,
        ),
    ] = {}
    networks: Annotated[
        tuple[str, ...],
        Attribute(
            meaning="Addresses and networks that it may connect from; empty for anywhere",
            is_shown=True,
            is_changeable=True,
            scope=Scope.ADMIN,
            is_news=True,
            longest=MOST_NETWORKS,
            check=canonical_networks,
            example="10.1.0.0/16,10.2.0.5",
        ),
    ] = ()
    options: Annotated[dict[str, str], Attribute(is_hidden=True, is_sealed=True)] = {}
    """Options that the terminal pushed or returned for INFO."""
    attributes: Annotated[dict[str, str], Attribute(is_hidden=True, is_sealed=True)] = {}
    """Arguments of its initialization exchange that the protocol does not define."""
    counts: Annotated[
        dict[str, int],
        Attribute(meaning="Reported numbers of users, fingerprints, …", is_shown=True),
    ] = {}
    counts_at: int | None = None
    """When it last reported other numbers, in milliseconds."""
    problems: tuple[Problem, ...] = ()

    @property
    def dialect(self) -> Dialect:
        """Dialect in which the terminal writes."""
        return dialect_of(
            self.version or self.push_version,
            self.language,
            self.device_type,
            self.family,
            self.encoding,
            self.shown_encoding,
        )


DEVICE_ATTRIBUTES = declared(Device)
"""Attributes of terminals, by field name."""


GAP = "gap"
"""Kind of the event that stands for older events, which were dropped."""
CORRECTED = "corrected"
"""Kind of the event for records whose instants were computed: `table`, `ids`, earlier `doubts`."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event. Attendance records are events too, read from their own table."""

    id: int
    kind: str
    """`device`, `command`, `user`, `problem` or `CORRECTED`; or `GAP`."""
    data: Mapping[str, object]
    at: int
    areas: frozenset[str] | None = None
    """Areas whose limited listeners are told, as they were when it happened; None if the present
    areas of its terminal and its person decide."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The caller of an API request, or who uses the console."""

    name: str
    """Name of the API token, or of the account of the console."""
    scopes: frozenset[Scope]
    address: str | None = None
    client: str | None = None
    """The command line and its version, or the console, if it made the request."""
    kind: str = "token"
    """`token` or `account`."""
    areas: frozenset[str] | None = None
    """Areas that the caller is limited to; None for no limit."""

    @property
    def actor(self) -> str:
        """Actor, for the audit log."""
        return f"{self.kind} {self.name}"

    @property
    def origin(self) -> str:
        """Origin of the request, for the audit log."""
        return f"by {self.client or 'API'} from {self.address or 'here'}"


MOST_ID = 2**63 - 1
"""Largest row key, and so the largest cursor."""


class Page(msgspec.Struct, frozen=True):
    """Part of a list, by row ids."""

    limit: int = 100
    after: int = 0
    """Exclusive lower bound of the ids."""
    before: int | None = None
    """Exclusive upper bound of the ids; None for no bound."""
    newest_first: bool = False
    """Whether ids descend."""
    areas: frozenset[str] | None = None
    """Areas of a limited caller: only rows of their terminals or people are wanted; None for all. A
    query that cannot tell whose its rows are raises `RuntimeError`."""
