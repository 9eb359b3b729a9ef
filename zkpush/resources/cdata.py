"""/iclock/cdata: the initialization exchange (5), options (8) and uploads (11)."""

from __future__ import annotations

from collections.abc import Awaitable

import attrs

from ..device.exchange import Exchange
from ..device.intake import Intake
from ..device.registry import Registry
from ..protocol.errors import TerminalError
from ..protocol.handshake import decode_hello
from ..protocol.requests import Upload
from .base import Call, TerminalResource

_STAMPS = ("Stamp", "OpStamp", "PhotoStamp")


@attrs.define(eq=False)
class CData(TerminalResource):
    """GET makes the exchange, POST uploads."""

    _registry: Registry
    _exchange: Exchange
    _intake: Intake
    methods = ("GET", "POST")

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def answer(self, call: Call) -> bytes | Awaitable[bytes]:
        """Answer with the options, or with the acknowledgement of an upload."""
        if call.method == "GET":
            if call.arguments.get("options") is None:
                raise TerminalError("GET cdata is for the initialization exchange: options=all.")
            return self._exchange.answer(call.sn, decode_hello(call.arguments), call.address)
        table = call.arguments.get("table")
        if not table:
            raise TerminalError("An upload has to name its table.")
        stamp = next((call.arguments[name] for name in _STAMPS if name in call.arguments), None)
        upload = Upload(table, call.body, stamp)
        terminal = self._registry.serving(call.sn, call.address)
        if terminal is None:
            return self._admit(call, upload)
        return self._intake.upload(terminal, upload)

    async def _admit(self, call: Call, upload: Upload) -> bytes:
        """Admit the terminal, then take what it uploads."""
        terminal = await self._registry.admit(call.sn, call.address)
        answer = self._intake.upload(terminal, upload)
        return answer if isinstance(answer, bytes) else await answer
