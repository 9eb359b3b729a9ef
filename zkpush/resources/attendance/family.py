"""Attendance PUSH 2.x: routing table, decoding of requests and encoding of replies.

A terminal makes the initialization exchange (spec 5), agrees on keys (6, 7), polls for commands
(12) and reports its state (9), uploads records (11), answers commands (13), looks up users that it
does not hold (14), asks whether to admit a user (12.8.3), fetches files (12.5.2, 12.8.2), and sends
a heartbeat during a long upload (10).

The URL of a file is in the arguments (`?SN=…&url=…`) for UPGRADE, and is the request's own URL for
PutFile. In both, the secret of the command finds the file (`zkpush.device.files`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping

import attrs
from twisted.plugin import IPlugin
from zope.interface import implementer

from ...handlers.attendance.tables import ATTLOG, ATTPHOTO
from ...handlers.people.tables import REMOTE_ATTENDANCE
from ...interfaces import ITerminalFamily
from ...protocol.codes import return_meaning, succeeded
from ...protocol.commands import encode_command
from ...protocol.envelope import can_encrypt
from ...protocol.errors import ProtocolError, refusal
from ...protocol.fields import Table
from ...protocol.handshake import UNKNOWN_DEVICE, Hello, decode_hello, encode_options
from ...protocol.packets import PacketLimits
from ...protocol.rejects import Reject
from ...protocol.replies import CommandReply, decode_replies
from ...protocol.reports import INFO
from ...protocol.requests import (
    TABLE_DATA,
    UNNAMED,
    Arguments,
    Upload,
    is_packed,
    kept_table_reply,
)
from ...protocol.times import zone_option
from ...protocol.uploads import UploadDecoder
from ...protocol.verification import POST_VERIFY_DATA
from ...values.families import Action, AnswerOutcome, FamilyRoute, Opening
from .session import SESSION

_OK = b"OK"
_ATTENDANCE = re.compile(
    rb"[\s\xef\xbb\xbf]*+[^\t\r\n=]{1,64}\t[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}[ T][0-9]{1,2}:[0-9]"
)
"""Beginning of an attendance record: a user ID and a time."""
_TYPES = frozenset({"att", "pid", "ins"})
"""The values of DeviceType."""
_STAMPS = ("Stamp", "OpStamp", "PhotoStamp")
_PACKED = "tgz"
"""The only value of ContentType (spec 11.14)."""
_PHOTOS = "fdata"
"""The path of uploads that hold attendance photos unless they name a table (spec 11.3)."""


@attrs.frozen
class _NamedUpload:
    """What the arguments of an upload state (spec 11)."""

    table: str | None
    stamp: str | None
    file: str | None
    """The file name that old firmware sends with a photo (spec 11.3)."""
    is_packed: bool
    is_table_data: bool

    @classmethod
    def of(cls, arguments: Arguments) -> _NamedUpload:
        """Read the arguments."""
        table: str | None = arguments.get("table") or arguments.get("type")
        stamps = (arguments.get(name) for name in _STAMPS)
        return cls(
            table,
            next((stamp for stamp in stamps if stamp is not None), None),
            arguments.get("PIN"),
            arguments.get("ContentType", "").lower() == _PACKED,
            table is not None and table.lower() == TABLE_DATA,
        )


@implementer(IPlugin, ITerminalFamily)
@attrs.frozen
class AttendancePush:
    """The family of terminals that speak Attendance PUSH 2.x."""

    name = "attendance"
    title = "Attendance PUSH"
    routes = (
        FamilyRoute(
            *("GET", "cdata", f"table={REMOTE_ATTENDANCE}", Action.LOOK_UP), "lookup of a user"
        ),
        FamilyRoute("GET", "cdata", "", Action.BEGIN, "initialization exchange"),
        FamilyRoute(
            *("POST", "cdata", f"type={POST_VERIFY_DATA}", Action.VERIFY), "background verification"
        ),
        FamilyRoute("POST", "cdata", "", Action.UPLOAD, "upload"),
        FamilyRoute("POST", _PHOTOS, "", Action.UPLOAD, "upload of photos"),
        FamilyRoute("POST", "exchange", "", Action.AGREE, "exchange of keys"),
        FamilyRoute("GET", "getrequest", "", Action.POLL, "poll for commands"),
        FamilyRoute("GET POST", "devicecmd", "", Action.ANSWER, "answers to commands"),
        # The specification states POST, but its example uses GET.
        FamilyRoute("GET POST", "ping", "", Action.PING, "heartbeat"),
        FamilyRoute("GET HEAD", "file/", "SN=", Action.FETCH, "download of a file"),
        FamilyRoute("GET HEAD", "file/", "", Action.FETCH_UNNAMED, "download of a file"),
    )
    session = SESSION
    again = (200, UNKNOWN_DEVICE)
    nothing = _OK
    received = _OK

    def claims(self, path: str, arguments: Arguments) -> bool:
        """Whether the terminal reports a device type of this protocol (spec 5)."""
        return arguments.get("DeviceType", "").lower() in _TYPES

    def can_encrypt(self, version: str | None) -> bool:
        """Whether a terminal of this version can encrypt (Appendix 8): from 2.4.0 on."""
        return can_encrypt(version)

    def hello(self, arguments: Arguments) -> Hello:
        """Decode the arguments of the initialization exchange (spec 5)."""
        return decode_hello(arguments)

    def opening(self, opening: Opening) -> bytes:
        """Encode the options of a terminal (spec 5)."""
        return encode_options(
            opening.sn,
            settings=opening.settings,
            stamps=opening.stamps,
            time_zone=zone_option(opening.timezone, opening.at / 1000) or None,
            tables=opening.tables,
            old_names=opening.hello.push_version is None,
            version=opening.version,
            encrypts_attendance=opening.encrypts_records,
        )

    def decoder(self, tables: Iterable[Table], limits: PacketLimits) -> UploadDecoder:
        """Return the decoder of uploads (spec 11)."""
        return UploadDecoder(tables, limits)

    def upload(self, path: str, arguments: Arguments, body: bytes, *, moves_stamp: bool) -> Upload:
        """Return the upload of a request (spec 11).

        Some terminals name the table in `type`. If no table is named, a body that begins like an
        attendance record (spec 11.2) counts as such; any other belongs to the table `UNNAMED`,
        which no handler takes.
        """
        named = arguments.read(_NamedUpload.of)
        table = named.table
        if not table:
            if path == _PHOTOS:
                table = ATTPHOTO.name
            elif _ATTENDANCE.match(body):
                table = ATTLOG.name
            else:
                table = UNNAMED
        return Upload(
            table,
            body,
            stamp=named.stamp,
            packed=is_packed(body, named.is_packed),
            name=named.file,
            moves_stamp=moves_stamp,
            reply=kept_table_reply(arguments, body) if named.is_table_data else None,
        )

    def acknowledge(self, upload: Upload | None, count: int, *, bare: bool) -> bytes:
        """Encode the acknowledgement of an upload (spec 11.2)."""
        if upload is not None and upload.reply is not None:
            return upload.reply
        return _OK if bare else b"OK: %d" % count

    def reported(self, arguments: Arguments) -> Upload | None:
        """Return the update information in the arguments of a poll (spec 9)."""
        info: str | None = arguments.get(INFO.name)
        return Upload(INFO.name, info.encode()) if info else None

    def refuse(self, error: ProtocolError) -> tuple[int, bytes]:
        """Encode an error as a reply, without the mark of success."""
        return error.status, _refusal(str(error))

    def write(self, command_id: str, text: str, encoding: str) -> bytes:
        """Encode the line of a command (spec 12)."""
        return encode_command(command_id, text, encoding)

    def answers(
        self, body: bytes, encoding: str, arguments: Mapping[str, str]
    ) -> tuple[list[CommandReply], list[Reject]]:
        """Decode answers to commands (spec 13)."""
        return decode_replies(body, encoding, arguments)

    def outcome(self, command: str, code: int | None) -> AnswerOutcome:
        """Interpret a return code (spec Appendix 1)."""
        meaning = None if code is None else return_meaning(command, code)
        return AnswerOutcome(succeeded(command, code), meaning)


_refusal = functools.lru_cache(256)(refusal)
"""Cached, because most refusals are the same few."""
