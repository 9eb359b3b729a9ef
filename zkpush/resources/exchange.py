"""/iclock/exchange: a terminal exchanges public keys (6), then factors (7), with the server."""

from __future__ import annotations

from ..device.door import Door
from ..device.exchange import Exchange
from ..http.messages import FileReply
from ..protocol.envelope import EXCHANGE_CONTENT_TYPE, decode_step, encode_step, step_of
from ..protocol.requests import Arguments
from .base import Call, TerminalResource, with_token

_CONTENT = f"Content-Type: {EXCHANGE_CONTENT_TYPE}\r\n".encode()


class KeyExchange(TerminalResource):
    """POST makes a step."""

    methods = ("POST",)

    def __init__(self, door: Door, exchange: Exchange) -> None:
        super().__init__(door)
        self._exchange = exchange

    def is_outside(self, sn: str, method: str, arguments: Arguments) -> bool:
        """Both steps are plain; what is secret of them is encrypted by itself."""
        return True

    async def answer(self, call: Call) -> bytes | FileReply:
        """Answer with the public key, or the factor, of the server."""
        step = step_of(call.arguments)
        value = decode_step(step, call.body)
        answer = await self._exchange.step(call.sn, step, value, call.address, call.cookie)
        return with_token(encode_step(step, answer.body), answer.token, _CONTENT)
