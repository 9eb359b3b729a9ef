"""/iclock/cdata: the initialization exchange (5), options (8) and uploads (11)."""

from __future__ import annotations

from collections.abc import Awaitable

import attrs

from ..device.exchange import Exchange
from ..protocol.errors import TerminalError
from ..protocol.handshake import decode_hello
from .base import Call
from .fdata import FData


@attrs.define(eq=False)
class CData(FData):
    """GET makes the exchange, POST uploads."""

    _exchange: Exchange = attrs.field(kw_only=True)
    default_table: str | None = None
    methods = ("GET", "POST")

    def answer(self, call: Call) -> bytes | Awaitable[bytes]:
        """Answer with the options, or with the acknowledgement of an upload."""
        if call.method != "GET":
            return super().answer(call)
        if call.arguments.get("options") is None:
            raise TerminalError("GET cdata is for the initialization exchange: options=all.")
        return self._exchange.answer(call.sn, decode_hello(call.arguments), call.address)
