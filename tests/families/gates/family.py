"""A family modelled on the access-control protocol: its own opening, acknowledgement and words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.plugin.family import (
    PLAIN_SESSION,
    Action,
    AnswerOutcome,
    Arguments,
    CommandReply,
    FamilyRoute,
    Hello,
    ITerminalFamily,
    Opening,
    PacketLimits,
    ProtocolError,
    Reject,
    Upload,
    UploadDecoder,
    decode_replies,
    encode_command,
    refusal,
)
from zkpush.plugin.tables import Table

from .tables import FAMILY

REGISTRY_CODE = "SMALL"
_FAILURES = {-629: "There is no such table"}


@implementer(IPlugin, ITerminalFamily)
@attrs.frozen
class GatePush:
    """Terminals that say `DeviceType=acc`."""

    name = FAMILY
    title = "Gate PUSH"
    routes = (
        FamilyRoute("GET", "cdata", "", Action.BEGIN, "registration"),
        FamilyRoute("POST", "cdata", "", Action.UPLOAD, "upload"),
        FamilyRoute("GET", "rtdata", "", Action.PING, "question for the time"),
        FamilyRoute("GET", "getrequest", "", Action.POLL, "poll for commands"),
        FamilyRoute("POST", "devicecmd", "", Action.ANSWER, "answers to commands"),
    )
    session = PLAIN_SESSION
    again = (406, b"register again\n")
    nothing = b"OK"
    received = b"OK"

    def claims(self, path: str, arguments: Arguments) -> bool:
        """Whether the terminal says that it is one for access control."""
        return path == "rtdata" or arguments.get("DeviceType", "").lower() == "acc"

    def can_encrypt(self, version: str | None) -> bool:
        """Whether it can encrypt its sessions."""
        return False

    def hello(self, arguments: Arguments) -> Hello:
        """Read what a terminal says of itself."""
        return Hello(
            push_version=arguments.get("pushver"),
            device_type=arguments.get("DeviceType"),
            attributes={
                name: value
                for name, value in arguments.items()
                if name.lower() not in ("sn", "options", "pushver", "devicetype")
            },
        )

    def opening(self, opening: Opening) -> bytes:
        """Write the configuration of a terminal."""
        names = " ".join(table.name for table in opening.tables)
        lines = ["registry=ok", f"RegistryCode={REGISTRY_CODE}", f"TransTables={names}"]
        delay = opening.settings.get("Delay")
        if delay is not None:
            lines.append(f"RequestDelay={delay}")
        return "".join(f"{line}\r\n" for line in lines).encode()

    def decoder(self, tables: Iterable[Table], limits: PacketLimits) -> UploadDecoder:
        """Make what reads uploads."""
        return UploadDecoder(tables, limits)

    def upload(self, path: str, arguments: Arguments, body: bytes, *, moves_stamp: bool) -> Upload:
        """Find the table: that of tabledata has its name in another argument."""
        table = arguments.get("table", "")
        return Upload(arguments.get("tablename", "") if table == "tabledata" else table, body)

    def acknowledge(self, upload: Upload | None, count: int, *, bare: bool) -> bytes:
        """Write the number of records behind the name of their table; events are counted nowhere.

        What nobody takes is kept, and counts as taken: the terminal would send it for ever.
        """
        if upload is None or upload.table in ("", "rtlog"):
            return b"OK"
        taken = upload.body.count(b"\n") if bare else count
        return b"%b=%d" % (upload.table.encode(), taken)

    def reported(self, arguments: Arguments) -> Upload | None:
        """Its polls report nothing."""
        return None

    def refuse(self, error: ProtocolError) -> tuple[int, bytes]:
        """Write what went wrong."""
        return error.status, b"error=" + refusal(str(error))

    def write(self, command_id: str, text: str, encoding: str) -> bytes:
        """Write the line of a command."""
        return encode_command(command_id, text, encoding)

    def answers(
        self, body: bytes, encoding: str, arguments: Mapping[str, str]
    ) -> tuple[list[CommandReply], list[Reject]]:
        """Read answers to commands."""
        return decode_replies(body, encoding, arguments)

    def outcome(self, command: str, code: int | None) -> AnswerOutcome:
        """Judge a return code: all below zero are failures."""
        return AnswerOutcome(code is None or code >= 0, _FAILURES.get(code or 0))
