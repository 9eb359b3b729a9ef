"""Interface of terminal protocols; see docs/families.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from zope.interface import Attribute, Interface

from ..protocol.errors import ProtocolError
from ..protocol.fields import Table
from ..protocol.handshake import Hello
from ..protocol.packets import PacketLimits
from ..protocol.rejects import Reject
from ..protocol.replies import CommandReply
from ..protocol.requests import Arguments, Upload
from ..protocol.uploads import UploadDecoder
from ..values.families import AnswerOutcome, FamilyRoute, Opening, SessionTable


class ITerminalFamily(Interface):
    """A protocol that terminals speak: a translation between bytes and values.

    It has no state, does no I/O and reads no clock. The server implements everything that is common
    to all families: admission, sessions and their storage, the queue of commands, people,
    attendance, events. No method blocks or raises, unless its documentation says so.
    """

    name: str = Attribute("A short word, stored with each terminal of the family")
    title: str = Attribute("What people call the protocol, for messages")
    routes: Sequence[FamilyRoute] = Attribute("The requests of its terminals")
    session: SessionTable = Attribute("The states of its sessions")
    again: tuple[int, bytes] = Attribute(
        "The status and the body that make a terminal begin its session again"
    )
    nothing: bytes = Attribute("The reply to a poll where there is no command")
    received: bytes = Attribute("The reply to answers, and to a heartbeat")

    def claims(path: str, arguments: Arguments) -> bool:
        """Whether a request shows that its terminal is of this family; `path` is that of a route.

        Called for unknown terminals, and when a terminal begins a session. Terminals that no family
        claims belong to Attendance PUSH.
        """

    def can_encrypt(version: str | None) -> bool:
        """Whether a terminal of this reported version can encrypt sessions and return tokens."""

    def hello(arguments: Arguments) -> Hello:
        """Parse the information that a terminal sends about itself when it begins a session."""

    def opening(opening: Opening) -> bytes:
        """Write the reply that begins a session."""

    def decoder(tables: Iterable[Table], limits: PacketLimits) -> UploadDecoder:
        """Make the decoder of uploads of some tables; `limits` are those of packets."""

    def upload(path: str, arguments: Arguments, body: bytes, *, moves_stamp: bool) -> Upload:
        """Identify the table of an upload; `path` is that of its route.

        If the upload names no table, the result is a table without a handler. `moves_stamp` is
        whether to store the stamp of the upload.
        """

    def acknowledge(upload: Upload | None, count: int, *, bare: bool) -> bytes:
        """Write the reply to an upload of which `count` records were understood.

        The upload is on disk. `bare` is set for tables that are acknowledged without a count, and
        for tables without a handler, whose lines are stored as rejects.
        """

    def reported(arguments: Arguments) -> Upload | None:
        """Return the state that a poll reports in addition to its question; None without any."""

    def refuse(error: ProtocolError) -> tuple[int, bytes]:
        """Write the status and the body of a refusal after which the terminal keeps its data."""

    def write(command_id: str, text: str, encoding: str) -> bytes:
        """Write one command of a reply to a poll; `CommandError` if the text is not exactly one."""

    def answers(
        body: bytes, encoding: str, arguments: Mapping[str, str]
    ) -> tuple[list[CommandReply], list[Reject]]:
        """Parse the command results in the body and the arguments of a request."""

    def outcome(command: str, code: int | None) -> AnswerOutcome:
        """Interpret the return code of a command."""
