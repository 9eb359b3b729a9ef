"""/iclock/fdata: photos (11.3, 11.8), and whatever else is uploaded."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar

from ..device.door import Door
from ..device.intake import Intake
from ..http.messages import FileReply
from ..protocol.errors import TerminalError
from ..protocol.requests import Arguments, Upload
from ..protocol.tables import ATTPHOTO
from .base import Call, TerminalResource

_STAMPS = ("Stamp", "OpStamp", "PhotoStamp")
_PACKED = "tgz"
"""The one value of ContentType (11.14)."""


class FData(TerminalResource):
    """POST uploads."""

    default_table: ClassVar[str | None] = ATTPHOTO.name
    """What an upload is of that does not say so; None where it has to."""
    methods: ClassVar[Sequence[str]] = ("POST",)
    takes_long = True

    def __init__(self, door: Door, intake: Intake) -> None:
        super().__init__(door)
        self._intake = intake

    def answer(self, call: Call) -> bytes | Awaitable[bytes | FileReply]:
        """Answer with the acknowledgement of an upload."""
        arguments = call.arguments
        table = arguments.get("table") or self.default_table
        if not table:
            raise TerminalError("An upload has to name its table.")
        upload = Upload(
            table,
            call.body,
            stamp=_stamp(arguments),
            moves_stamp=call.is_proved,
            packed=arguments.get("ContentType", "").lower() == _PACKED,
            name=arguments.get("PIN"),
        )
        return self._intake.upload(call.terminal, upload)


def _stamp(arguments: Arguments) -> str | None:
    for name in _STAMPS:
        stamp: str | None = arguments.get(name)
        if stamp is not None:
            return stamp
    return None
