"""/iclock/fdata: photos (11.3, 11.8), and whatever else is uploaded."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar

import attrs

from ..device.intake import Intake
from ..device.registry import Registry
from ..protocol.errors import TerminalError
from ..protocol.requests import Arguments, Upload
from ..protocol.tables import ATTPHOTO
from .base import Call, TerminalResource

_STAMPS = ("Stamp", "OpStamp", "PhotoStamp")
_PACKED = "tgz"
"""The one value of ContentType (11.14)."""


@attrs.define(eq=False)
class FData(TerminalResource):
    """POST uploads."""

    _registry: Registry
    _intake: Intake
    default_table: str | None = ATTPHOTO.name
    """What an upload is of that does not say so; None where it has to."""
    methods: ClassVar[Sequence[str]] = ("POST",)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def answer(self, call: Call) -> bytes | Awaitable[bytes]:
        """Answer with the acknowledgement of an upload."""
        arguments = call.arguments
        table = arguments.get("table") or self.default_table
        if not table:
            raise TerminalError("An upload has to name its table.")
        upload = Upload(
            table,
            call.body,
            stamp=_stamp(arguments),
            packed=arguments.get("ContentType", "").lower() == _PACKED,
            name=arguments.get("PIN"),
        )
        terminal = self._registry.serving(call.sn, call.address)
        if terminal is None:
            return self._admit(call, upload)
        return self._intake.upload(terminal, upload)

    async def _admit(self, call: Call, upload: Upload) -> bytes:
        """Admit the terminal, then take what it uploads."""
        terminal = await self._registry.admit(call.sn, call.address)
        answer = self._intake.upload(terminal, upload)
        return answer if isinstance(answer, bytes) else await answer


def _stamp(arguments: Arguments) -> str | None:
    for name in _STAMPS:
        stamp: str | None = arguments.get(name)
        if stamp is not None:
            return stamp
    return None
