"""/iclock/cdata: the initialization exchange (5), options (8), uploads (11), and two questions.

A terminal asks for a user who is not on it (14), and whether one whom it has recognised is to be
let in (12.8.3).
"""

from __future__ import annotations

from collections.abc import Awaitable

from ..device.door import Door
from ..device.exchange import Exchange
from ..device.intake import Intake
from ..device.remote import RemoteUsers
from ..device.verification import BackgroundVerification
from ..http.messages import FileReply
from ..protocol.errors import Refused, TerminalError
from ..protocol.handshake import decode_hello
from ..protocol.requests import Arguments
from ..protocol.tables.remote import REMOTE_ATTENDANCE
from ..protocol.verification import POST_VERIFY_DATA
from .base import Call, with_token
from .fdata import FData


class CData(FData):
    """GET makes the exchange or asks for a user, POST uploads or asks for a decision."""

    default_table = None
    methods = ("GET", "POST")

    def __init__(
        self,
        door: Door,
        intake: Intake,
        exchange: Exchange,
        remote: RemoteUsers,
        verification: BackgroundVerification,
    ) -> None:
        super().__init__(door, intake)
        self._exchange = exchange
        self._remote = remote
        self._verification = verification

    def is_outside(self, sn: str, method: str, arguments: Arguments) -> bool:
        """The initialization exchange is always plain."""
        return method == "GET" and not _asks_for_user(arguments)

    def greets(self, method: str, arguments: Arguments) -> bool:
        """So it is, unless it asks for a user."""
        return self.is_outside("", method, arguments)

    def answer(self, call: Call) -> bytes | Awaitable[bytes | FileReply]:
        """Answer with the options, the acknowledgement of an upload, a user, or a decision."""
        arguments = call.arguments
        if call.method != "GET":
            asks = arguments.get("type", "").lower() == POST_VERIFY_DATA.lower()
            return self._verify(call) if asks else super().answer(call)
        if _asks_for_user(arguments):
            if not call.is_proved:
                raise Refused("Users are sent to sessions that have proved themselves only.")
            return self._remote.answer(call.terminal, arguments.get("PIN"))
        if arguments.get("options") is None:
            raise TerminalError("GET cdata is for the initialization exchange: options=all.")
        return self._begin(call)

    async def _begin(self, call: Call) -> bytes | FileReply:
        hello = decode_hello(call.arguments)
        answer = await self._exchange.answer(call.sn, hello, call.address, call.cookie)
        return with_token(answer.body, answer.token)

    def _verify(self, call: Call) -> Awaitable[bytes]:
        return self._verification.answer(call.terminal, call.body)


def _asks_for_user(arguments: Arguments) -> bool:
    return bool(arguments.get("table", "").lower() == REMOTE_ATTENDANCE.lower())
