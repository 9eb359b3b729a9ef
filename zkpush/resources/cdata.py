"""/iclock/cdata: the initialization exchange (5), options (8), uploads (11), and two questions.

A terminal asks for a user who is not on it (14), and whether one whom it has recognised is to be
let in (12.8.3).
"""

from __future__ import annotations

from collections.abc import Awaitable

import attrs

from ..device.exchange import Exchange
from ..device.remote import RemoteUsers
from ..device.verification import BackgroundVerification
from ..protocol.errors import TerminalError
from ..protocol.handshake import decode_hello
from ..protocol.tables.remote import REMOTE_ATTENDANCE
from ..protocol.verification import POST_VERIFY_DATA
from .base import Call
from .fdata import FData


@attrs.define(eq=False)
class CData(FData):
    """GET makes the exchange or asks for a user, POST uploads or asks for a decision."""

    _exchange: Exchange = attrs.field(kw_only=True)
    _remote: RemoteUsers = attrs.field(kw_only=True)
    _verification: BackgroundVerification = attrs.field(kw_only=True)
    default_table: str | None = None
    methods = ("GET", "POST")

    def answer(self, call: Call) -> bytes | Awaitable[bytes]:
        """Answer with the options, the acknowledgement of an upload, a user, or a decision."""
        arguments = call.arguments
        if call.method != "GET":
            asks = arguments.get("type", "").lower() == POST_VERIFY_DATA.lower()
            return self._verify(call) if asks else super().answer(call)
        if arguments.get("table", "").lower() == REMOTE_ATTENDANCE.lower():
            return self._give(call)
        if arguments.get("options") is None:
            raise TerminalError("GET cdata is for the initialization exchange: options=all.")
        return self._exchange.answer(call.sn, decode_hello(arguments), call.address)

    async def _give(self, call: Call) -> bytes:
        """Admit the terminal, then give it the user it asks for."""
        terminal = await self._registry.admit(call.sn, call.address)
        return await self._remote.answer(terminal, call.arguments.get("PIN"))

    async def _verify(self, call: Call) -> bytes:
        """Admit the terminal, then decide about whom it has recognised."""
        terminal = await self._registry.admit(call.sn, call.address)
        answer = self._verification.answer(terminal, call.body)
        return answer if isinstance(answer, bytes) else await answer
