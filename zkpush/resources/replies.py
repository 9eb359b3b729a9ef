"""Replies to terminals: refusals, tokens as cookies, and sealed files."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from ..device.session import AskForExchange
from ..http.messages import OCTETS, PLAIN, ExplainedReply, FileReply, Plain
from ..http.sending import PART, Interrupted
from ..interfaces import ITerminalFamily, StoreError
from ..protocol.errors import ProtocolError, ServerFailed, Unavailable

_log = Logger()
SUCCESS = 200


def with_token(reply: bytes, token: str | None, content: bytes = PLAIN) -> bytes | FileReply:
    """Return a reply that sets the terminal's token as a cookie (spec 6, 7)."""
    if token is None and content == PLAIN:
        return reply
    cookie = (
        b"" if token is None else b"Set-Cookie: token=%b; Path=/; HttpOnly\r\n" % token.encode()
    )
    return FileReply(SUCCESS, content + cookie, body=reply)


async def sealed_file(reply: FileReply, seal: Callable[[bytes], bytes]) -> FileReply:
    """Return a whole file as one sealed body, because no part of it could be opened alone."""
    body, read = reply.body, reply.read
    if read is not None:
        parts = [
            await read(start, min(start + PART, reply.end))
            for start in range(reply.start, reply.end, PART)
        ]
        body = b"".join(parts)
    return FileReply(SUCCESS, OCTETS, body=seal(body))


def refused(error: Exception, family: ITerminalFamily) -> Plain:
    """Return the reply to a failed request, in the format of the terminal's family."""
    if isinstance(error, AskForExchange):
        return ExplainedReply(family.again, error.reason)
    shown = error if isinstance(error, ProtocolError) else _unserved(error)
    reply = family.refuse(shown)
    return reply if shown.remark is None else ExplainedReply(reply, shown.remark)


def _unserved(error: Exception) -> ProtocolError:
    """The reply for a server error, which is also logged."""
    if isinstance(error, Interrupted):
        return Unavailable("The file cannot be read now; fetch it again later.")
    if isinstance(error, StoreError):
        _log.error("A request was not served: {error}", error=str(error))
        return Unavailable("The server cannot store now; send it again later.")
    _log.failure("A request was not served")
    return ServerFailed("The server failed; its log says why. Send it again later.")
