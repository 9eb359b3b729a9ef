"""The values that floors pass to each other: frozen, typed, without behaviour of their own.

Instants are integers, milliseconds since the epoch, in attributes that end in `_at`. `time` is a
terminal's own wall clock, `YYYY-MM-DD HH:MM:SS`, without a zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from .attributes import Attribute, declared
from .problems import ProblemCode
from .protocol.addresses import canonical_networks
from .protocol.dialect import FIRST_FAMILY, Dialect, dialect_of
from .protocol.fields import Scope
from .protocol.rejects import Origin
from .protocol.requests import Upload
from .protocol.times import check_zone
from .protocol.versions import check_version


class DeviceState(StrEnum):
    """Whether a terminal is served."""

    PENDING = "pending"
    """Seen, and waiting for an operator; refused until then, and nothing of its data is stored."""
    APPROVED = "approved"
    BLOCKED = "blocked"


class SessionState(StrEnum):
    """Where a terminal's session stands; see `zkpush.device.session` for the machine."""

    NEW = "new"
    """It has not made the initialization exchange with this server."""
    READY = "ready"
    """It has, and works by what it was told."""
    STALE = "stale"
    """It has, but is to make it again: something that it was told has changed."""
    KEYS = "keys"
    """Public keys are exchanged, and factors are not."""
    FACTORS = "factors"
    """Factors are exchanged; the terminal has not shown yet that it has the session key."""
    ENCRYPTED = "encrypted"
    """It has: nothing plain is served."""
    OUTDATED = "outdated"
    """Encrypted, but the exchanges are to be made again."""


ENCRYPTED_STATES = frozenset({SessionState.ENCRYPTED, SessionState.OUTDATED})


class EncryptionPolicy(StrEnum):
    """Whether sessions with a terminal are encrypted (Appendix 8)."""

    PREFER = "prefer"
    """Where both sides can, if the terminal begins."""
    REQUIRE = "require"
    """Always: nothing plain is served."""
    NEVER = "never"
    """The terminal is told a version that has no encryption."""


class TokenPolicy(StrEnum):
    """What to do about the session's token, which terminals get as a cookie (6, 7, 10)."""

    CHECK = "check"
    """It has to be sent once the terminal has shown that it returns it."""
    REQUIRE = "require"
    """It has to be sent, from the first request on."""
    IGNORE = "ignore"
    """It is not looked at."""


class Problem(msgspec.Struct, frozen=True):
    """Something about a terminal that a person should look at."""

    code: str
    detail: str
    since_at: int


OF_ZONE = frozenset({ProblemCode.NO_ZONE, ProblemCode.PROXY_DATE})
"""The problems that are over when the zone of a terminal is known."""


def no_zone(now: int) -> Problem:
    """The problem of an approved terminal whose zone is not known."""
    return Problem(
        ProblemCode.NO_ZONE,
        "Its records have no instant, `utc`, and it is told no time.",
        now,
    )


MOST_NAME = 200
"""Characters of the alias and of the area of a terminal: every list of terminals has them."""
MOST_NETWORKS = 256
"""Networks of a terminal."""
_FINGERPRINT = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)


def check_fingerprint(text: str) -> str:
    """Return a fingerprint in small letters; `ValueError` if it is none."""
    found = text.strip().lower()
    if not _FINGERPRINT.match(found):
        raise ValueError(
            "comm_key is the fingerprint of a pushcommkey, 64 hex digits, as in comm_key.offered."
        )
    return found


class SessionToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was issued in an exchange, in the name of a terminal."""

    digest: str
    """SHA-256, in hex."""
    address: str | None = None
    """Where the exchange came from."""
    proved: bool = False
    """Whether it has come back."""
    trusted: bool = False
    """Whether it belongs to the terminal, as far as can be known: see `zkpush.device.tokens`."""
    follows: str | None = None
    """The digest of the token that the exchange carried."""


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
            meaning="Whether it is served; an operator sets approved or blocked",
            is_shown=True,
            is_changeable=True,
            body=Literal["approved", "blocked"],
            check=DeviceState,
            is_news=True,
        ),
    ]
    area: Annotated[
        str | None,
        Attribute(
            meaning="Area where the terminal hangs",
            is_shown=True,
            is_changeable=True,
            is_news=True,
            longest=MOST_NAME,
        ),
    ] = None
    timezone: Annotated[
        str | None,
        Attribute(
            meaning="IANA zone of its wall clock; without one, it is told no time",
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
        str | None, Attribute(meaning="The protocol version it says it has", is_shown=True)
    ] = None
    version: Annotated[
        str | None,
        Attribute(
            meaning="The protocol version it has, where what it says is wrong",
            is_shown=True,
            is_changeable=True,
            check=check_version,
            example="2.4.1",
        ),
    ] = None
    language: Annotated[
        str | None, Attribute(meaning="Language number, spec Appendix 2", is_shown=True)
    ] = None
    device_type: Annotated[
        str | None, Attribute(meaning="The type it says it has", is_shown=True)
    ] = None
    family: Annotated[
        str,
        Attribute(
            meaning="The protocol that it speaks: a terminal family", is_shown=True, is_news=True
        ),
    ] = FIRST_FAMILY
    offered_family: Annotated[
        str | None,
        Attribute(
            meaning="Another family that it says it has; approve it again to take that over",
            is_shown=True,
        ),
    ] = None
    comm_key: Annotated[
        str | None,
        Attribute(
            meaning="Fingerprint of the pushcommkey that it has to send; without one, any key is "
            "accepted, and none",
            is_changeable=True,
            scope=Scope.ADMIN,
            check=check_fingerprint,
        ),
    ] = None
    """SHA-256 in hex, pinned by an operator."""
    told_time_zone: str | None = None
    """The TimeZone value of its last exchange: empty if it was told none, None if it is to make
    the exchange again."""
    encryption: Annotated[
        EncryptionPolicy | None,
        Attribute(
            meaning="Its own encryption policy; without one, the configured policy applies",
            is_shown=True,
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
    """Incremented with every change of its session keys; caches compare it."""
    token_policy: Annotated[
        TokenPolicy,
        Attribute(
            meaning="How the token of its session is judged. check: it has to return the token, "
            "once it has shown that it does; require: from the first request on; ignore: never",
            alias="token",
            is_shown=True,
            is_changeable=True,
            scope=Scope.ADMIN,
        ),
    ] = TokenPolicy.CHECK
    tokens: Annotated[tuple[SessionToken, ...], Attribute(is_hidden=True)] = ()
    """Those that did not come back yet, the newest first; then the proved ones, oldest first."""
    returns_token: Annotated[
        bool,
        Attribute(
            meaning="Whether it has shown that it returns tokens; setting `token` to check begins "
            "anew",
            is_shown=True,
        ),
    ] = False
    bare_addresses: tuple[str, ...] = ()
    """Addresses from which it was served without a token, before it returned one."""
    clock_skew_seconds: int | None = None
    """By how much its clock is ahead of the server's, negative if behind; see `device.skew`."""
    encrypts: bool = False
    """Whether it has had an encrypted session since an operator last set how it encrypts."""
    address: str | None = None
    firmware: Annotated[
        str | None, Attribute(meaning="Firmware version", is_shown=True, is_news=True)
    ] = None
    created_at: int
    last_seen_at: int | None = None
    """None for one that an operator added, and that has not come yet."""
    settings: Annotated[
        dict[str, str | int],
        Attribute(
            meaning="Options that it is told instead of the general ones; null removes one",
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
    """What the terminal pushed, and answered to INFO."""
    attributes: Annotated[dict[str, str], Attribute(is_hidden=True, is_sealed=True)] = {}
    """Arguments of its exchange that the protocol does not define."""
    counts: Annotated[
        dict[str, int],
        Attribute(meaning="How many users, fingerprints, … it says it holds", is_shown=True),
    ] = {}
    problems: tuple[Problem, ...] = ()

    @property
    def dialect(self) -> Dialect:
        """How the terminal writes."""
        return dialect_of(
            self.version or self.push_version, self.language, self.device_type, self.family
        )


DEVICE_ATTRIBUTES = declared(Device)
"""The attributes of terminals, by the names of their fields."""


MOST_OFFERED = 8
"""Most pushcommkeys of one terminal that are listed as offered."""


class OfferedKey(msgspec.Struct, frozen=True):
    """A pushcommkey that was offered for a terminal, or exchanges that offered none."""

    fingerprint: str | None
    """SHA-256, in hex; None for exchanges without a key."""
    address: str | None
    """Where it was last offered from."""
    first_seen_at: int
    last_seen_at: int


class StoredKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What a cipher suite needs to go on with a session."""

    generation: int
    """The `generation` of the terminal since which they are there."""
    suite: str
    state: bytes
    """Secret."""
    number: int = 0
    """The number of the last request that was taken."""
    step: SessionState | None = None
    """Of keys that are not in use yet: how far the exchange is."""

    def __repr__(self) -> str:
        return f"<Keys {self.generation}>"


class CommandState(StrEnum):
    """What has become of a command."""

    QUEUED = "queued"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    """Given up: not fetched in time, too old, or sent as often as configured without an answer."""
    CANCELLED = "cancelled"
    """Not sent again, because a caller or a later command said so."""
    UNKNOWN = "unknown"
    """Sent, not to be repeated, and not answered."""


OPEN_STATES = frozenset({CommandState.QUEUED, CommandState.SENT})
FINAL_STATES = frozenset(CommandState) - OPEN_STATES


class CommandFile(msgspec.Struct, frozen=True):
    """The file that a terminal fetches because of a command."""

    id: int
    digest: bytes
    """SHA-256 of the secret in its URL."""


class NewCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command that is to be queued."""

    id: str
    command: str
    family: str = FIRST_FAMILY
    """The terminal family of the command."""
    params: Mapping[str, str]
    """As they are sent."""
    asked: Mapping[str, str]
    """As they were given; what is worked out from the store is not in them."""
    text: str
    """As it is sent: what is secret in it, the URL of a file for one, is in nothing else."""
    file: CommandFile | None = None
    idempotency_key: str | None = None
    priority: int = 0
    """Higher ones are sent first."""
    not_before_at: int | None = None
    """When it may be sent at the earliest; None for at once."""
    expires_at: int | None = None
    """When it may be sent at the latest; None for the configured lifetime."""
    subject: bytes | None = None
    """A digest of what it changes: commands with the same subject are sent in order."""


class QueuedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command to one terminal, with what has become of it."""

    id: str
    """The CmdID on the wire."""
    device: str
    command: str
    family: str = FIRST_FAMILY
    """The terminal family of the command."""
    params: dict[str, str]
    asked: dict[str, str]
    """The parameters as they were given."""
    text: str
    """What is sent after the CmdID: the words and parameters on the wire."""
    file: CommandFile | None = None
    state: CommandState
    attempts: int
    records: int = 0
    """Of a QUERY: how many of its records have arrived."""
    created_at: int
    sent_at: int | None = None
    finished_at: int | None = None
    return_code: int | None = None
    result: dict[str, str] | None = None
    priority: int = 0
    not_before_at: int | None = None
    expires_at: int | None = None
    """When it may be sent at the latest; None if a version queued it that set no deadline."""
    answered_at: int | None = None
    """When the terminal answered first, whatever the state was then."""
    reason: str | None = None
    """The code of why it ended: a `zkpush.endings.EndReason`."""
    replaced_by: str | None = None
    """The CmdID of a later command that changes the same, and all that this one changes."""
    body_removed_at: int | None = None
    """When its parameters and result were removed, because they were too old."""
    damaged: tuple[str, ...] = ()
    """The values that do not open: they are empty here."""


GAP = "gap"
"""The kind of an event that stands for older ones, which are dropped."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has happened; attendance records are told of from their own table."""

    id: int
    kind: str
    """`device`, `command`, `user` or `problem`; or `GAP`."""
    data: Mapping[str, object]
    at: int


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for something by the API."""

    name: str
    """The name of the token."""
    scopes: frozenset[Scope]
    address: str | None = None
    client: str | None = None
    """The command line and its version, if it is that."""

    @property
    def actor(self) -> str:
        """Who it is, for the audit log."""
        return f"token {self.name}"

    @property
    def origin(self) -> str:
        """Where the request came from, for the audit log."""
        return f"by {self.client or 'API'} from {self.address or 'here'}"


class SealedRejects(msgspec.Struct, frozen=True):
    """Rejects of one terminal as the store writes them: sealed, by columns."""

    columns: Sequence[Sequence[object]]
    device_id: int


class StoredReject(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was not understood, as it is kept."""

    id: int
    device: str
    table: str
    reason: str
    raw: bytes | None
    """None in a list where it is long, and where it is damaged."""
    size: int
    """Bytes of `raw`."""
    received_at: int
    device_id: int = 0
    packed: bool = False
    """Whether `raw` is a packet (11.14)."""
    name: str | None = None
    """The file name that came with the upload of a photo (11.3)."""
    origin: Origin | None = None
    """The request that brought it, where it is the whole body of one."""
    attempts: int = 0
    """How often it was read again without being understood."""
    tried_at: int | None = None
    """When it was last read again."""
    damaged: tuple[str, ...] = ()
    """The values that do not open: they are empty here."""


class RejectSelection(msgspec.Struct, frozen=True):
    """Which rejects are wanted."""

    device: str | None = None
    """Serial number of a terminal; None for all."""
    table: str | None = None


MOST_ID = 2**63 - 1
"""The largest key that a row can have, and so the largest cursor."""


class InboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of one table that a plugin is to store, as they came from a terminal."""

    id: int = 0
    plugin: str
    """The name of its record handler."""
    device_id: int
    table: str
    upload: Upload
    """The lines, as an upload of their own; they are decoded again by whatever version of the
    plugin stores them."""
    dialect: Dialect
    """How the terminal wrote when it sent them."""
    received_at: int
    tries: int = 0
    """How often the plugin was given them before."""
    is_isolated: bool = False
    """Whether later lines of the terminal have stopped waiting for them."""


class SealedItems(msgspec.Struct, frozen=True):
    """Items of the inbox as the store writes them: sealed, by rows."""

    plugins: frozenset[str]
    rows: Sequence[tuple[object, ...]]


class InboxState(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in the inbox of one plugin."""

    plugin: str
    waiting: int = 0
    """Items: each is some lines of one table of one upload."""
    isolated: int = 0
    oldest_at: int | None = None
    error: str | None = None
    """The class of what the plugin last raised on one of them."""
    failed_at: int | None = None
    """When it first failed on one that still waits."""


class Page(msgspec.Struct, frozen=True):
    """Which part of a list is asked for."""

    limit: int = 100
    after: int = 0
    """Rows with a higher id only."""
    before: int | None = None
    """Rows with a lower id only; None for no bound."""
    newest_first: bool = False
    """Whether ids descend."""


class DatabaseClaim(msgspec.Struct, frozen=True):
    """What a data directory knows of its database before that is opened."""

    directory: str
    """The data directory, for messages."""
    identity: str | None = None
    """The identity of its database; None if it is not known."""
    where: str = ""
    """Where that was the last time, for messages."""
    has_had_one: bool = False
    """Whether there was a database before."""
    is_new: bool = False
    """Whether the operator asks for a new database (`--new`)."""


class StoragePlace(msgspec.Struct, frozen=True):
    """A file or folder that the server writes to."""

    name: str
    """What it is for, in messages and metrics."""
    path: str
    is_file: bool = False
    mark: tuple[int, int] | None = None
    """Device and inode, if it has to be the same one as at the start."""
    is_temporary: bool = False
    """Whether nothing stays there, so that it may be small."""
