"""The values that a terminal family and the server exchange; see `zkpush.interfaces`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import attrs
import msgspec

from ..model import SessionState
from ..protocol.fields import Table
from ..protocol.handshake import Hello
from ..protocol.versions import SERVER, Version


class Action(Enum):
    """What a terminal wants with a request; the server has one implementation of each."""

    BEGIN = "begin"
    """The exchange that begins a session. Terminals that await approval may make it."""
    AGREE = "agree"
    """A step of the exchange of keys; of families whose sessions can be encrypted."""
    UPLOAD = "upload"
    """Records."""
    POLL = "poll"
    """A question for commands."""
    ANSWER = "answer"
    """Answers to commands."""
    PING = "ping"
    """A sign of life."""
    LOOK_UP = "look up"
    """A question for a user who is not on the terminal."""
    VERIFY = "verify"
    """A question whether to let a user in."""
    FETCH = "fetch"
    """The download of a file, by a request that names its terminal."""
    FETCH_UNNAMED = "fetch unnamed"
    """The download of a file, by a request that does not."""


class FamilyRoute(msgspec.Struct, frozen=True):
    """A row of the routing table of a terminal family."""

    methods: str
    """HTTP methods, in capitals, separated by spaces."""
    path: str
    """The name under /iclock in its canonical form. One that ends with `/` includes all paths
    below it. Families may share a path."""
    selector: str
    """`name=value` matches that argument in any case; `name=` matches if the argument is there.
    Empty matches everything. The first row that matches counts."""
    action: Action
    meaning: str = ""
    """What a terminal does with such a request, in words, for the trace."""


@attrs.frozen(eq=False)
class SessionTable:
    """The sessions of a family, as tables; `zkpush.device.session` works by them."""

    changes: Mapping[str, Mapping[SessionState, SessionState]]
    """For each change, the states in which it can happen, and the next state."""
    served: Mapping[str, frozenset[SessionState]]
    """For each kind of request, the states in which it is served."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What the server knows when a terminal begins a session."""

    sn: str
    hello: Hello
    """What the terminal says of itself."""
    settings: Mapping[str, str | int]
    """The configured options and those of the terminal, by the names of Attendance PUSH (5)."""
    stamps: Mapping[str, str]
    """The stamps that its uploads had, by data type."""
    timezone: str | None
    """The IANA zone of its clock; None if it is not known, and the terminal is told no time."""
    at: int
    """The time, in milliseconds since the epoch."""
    tables: Sequence[Table]
    """The tables of its family that the server stores."""
    version: Version = SERVER
    """The version that the terminal is told."""
    encrypts_records: bool = False
    """Whether attendance records are to come encrypted."""


class AnswerOutcome(msgspec.Struct, frozen=True):
    """What the return code of a command means."""

    is_success: bool
    meaning: str | None
    """In words; None for a number that is particular to the command."""
