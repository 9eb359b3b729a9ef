"""/iclock/cdata: the initialization exchange (5), options (8) and uploads (11)."""

from __future__ import annotations

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

    async def answer(self, call: Call) -> bytes:
        """Answer with the options, or with the acknowledgement of an upload."""
        if call.method == "GET":
            if call.arguments.get("options") is None:
                raise TerminalError("GET cdata is for the initialization exchange: options=all.")
            return await self._exchange.answer(call.sn, decode_hello(call.arguments), call.address)
        terminal = await self._registry.admit(call.sn, call.address)
        table = call.arguments.get("table")
        if not table:
            raise TerminalError("An upload has to name its table.")
        stamp = next((call.arguments[name] for name in _STAMPS if name in call.arguments), None)
        return await self._intake.upload(terminal, Upload(table, call.body, stamp))
