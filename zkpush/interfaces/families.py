"""What a protocol of terminals implements; see docs/families.md."""

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
    """A protocol that terminals speak: bytes and values in, bytes and values out.

    It keeps nothing, opens nothing and knows no clock. Everything that does not differ between
    families is the server's: admission, sessions and their storage, the queue of commands, people,
    attendance, events. Nothing of it blocks or raises, unless its documentation says so.
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

        Asked for terminals that are unknown, and when one begins a session. Attendance PUSH is the
        family of terminals that nobody claims.
        """

    def can_encrypt(version: str | None) -> bool:
        """Whether a terminal of this version, as it says, can encrypt its sessions and return
        tokens."""

    def hello(arguments: Arguments) -> Hello:
        """Read what a terminal says of itself when it begins a session."""

    def opening(opening: Opening) -> bytes:
        """Write the reply with which a session begins."""

    def decoder(tables: Iterable[Table], limits: PacketLimits) -> UploadDecoder:
        """Make what reads uploads of some tables; `limits` are those of packets."""

    def upload(path: str, arguments: Arguments, body: bytes, *, moves_stamp: bool) -> Upload:
        """Find out which table an upload is of; `path` is that of its route.

        One that names none is of a table that nobody takes. `moves_stamp` is whether its stamp is
        to be remembered.
        """

    def acknowledge(upload: Upload | None, count: int, *, bare: bool) -> bytes:
        """Write the reply to an upload of which `count` records were understood.

        All is on disk. `bare` is for tables that are acknowledged without a count, and for those
        that nobody takes, which are kept as rejects.
        """

    def reported(arguments: Arguments) -> Upload | None:
        """Return what a poll reports beside its question; None if that is nothing."""

    def refuse(error: ProtocolError) -> tuple[int, bytes]:
        """Write the status and the body that refuse a request, so that the terminal keeps what it
        wanted to send."""

    def write(command_id: str, text: str, encoding: str) -> bytes:
        """Write one command of a reply to a poll; `CommandError` if it were not exactly one."""

    def answers(
        body: bytes, encoding: str, arguments: Mapping[str, str]
    ) -> tuple[list[CommandReply], list[Reject]]:
        """Read the answers in the body of a request and in its arguments."""

    def outcome(command: str, code: int | None) -> AnswerOutcome:
        """Judge a return code by the words of the command that it answers."""
