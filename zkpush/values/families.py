"""Values exchanged between a terminal family and the server; see `zkpush.interfaces`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import attrs
import msgspec

from ..protocol.fields import Table
from ..protocol.handshake import Hello
from ..protocol.versions import SERVER, Version
from ..values.sessions import SessionState


class Action(Enum):
    """Purpose of a terminal's request; the server implements each once."""

    BEGIN = "begin"
    """The exchange that begins a session; allowed to terminals that await approval."""
    AGREE = "agree"
    """A step of the key exchange, in families with encrypted sessions."""
    UPLOAD = "upload"
    """Upload of records."""
    POLL = "poll"
    """Request for commands."""
    ANSWER = "answer"
    """Results of commands."""
    PING = "ping"
    """Keep-alive."""
    LOOK_UP = "look up"
    """Request for a user who is not on the terminal."""
    VERIFY = "verify"
    """Request to decide whether a user is admitted."""
    FETCH = "fetch"
    """Download of a file, with the serial number of the terminal."""
    FETCH_UNNAMED = "fetch unnamed"
    """Download of a file, without a serial number."""


class FamilyRoute(msgspec.Struct, frozen=True):
    """A row of the routing table of a terminal family."""

    methods: str
    """HTTP methods, in capitals, separated by spaces."""
    path: str
    """Canonical name under /iclock. One that ends with `/` includes all paths below it. Families
    may share a path."""
    selector: str
    """`name=value` matches that argument in any case; `name=` matches if the argument is present.
    Empty matches every request. The first matching row applies."""
    action: Action
    meaning: str = ""
    """Description of such a request, for the trace."""


@attrs.frozen(eq=False)
class SessionTable:
    """Session state tables of a family, which `zkpush.device.session` interprets."""

    changes: Mapping[str, Mapping[SessionState, SessionState]]
    """For each change, the states it is possible in, and the next state."""
    served: Mapping[str, frozenset[SessionState]]
    """For each kind of request, the states it is served in."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Input for the reply that begins a session."""

    sn: str
    hello: Hello
    """Information that the terminal sends about itself."""
    settings: Mapping[str, str | int]
    """Configured options and those of the terminal, by their Attendance PUSH names (5)."""
    stamps: Mapping[str, str]
    """Stamps of its last uploads, by data type."""
    timezone: str | None
    """IANA zone of its clock; None if it is unknown, and no time is sent to the terminal."""
    at: int
    """Time of the request, in milliseconds since the epoch."""
    tables: Sequence[Table]
    """Tables of its family that the server stores."""
    version: Version = SERVER
    """Protocol version to report to the terminal."""
    encrypts_records: bool = False
    """Whether attendance records have to be encrypted."""


class AnswerOutcome(msgspec.Struct, frozen=True):
    """Meaning of a command's return code."""

    is_success: bool
    meaning: str | None
    """Text; None for a number specific to the command."""
