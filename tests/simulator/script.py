"""A server that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

OPTIONS = b"GET OPTION FROM: SIM1\nATTLOGStamp=0\nDelay=10\nTimeZone=0\n"
"""An option reply that asks for no options in return."""
Answer = bytes | int
"""The body of a reply with status 200, or another status."""
LOST = 0
"""Instead of a status: the request is taken, and its reply is lost."""


class Script(Resource):
    """Answers each path with its answers in turn, the last one for ever."""

    isLeaf = True

    def __init__(self, **answers: Answer | Sequence[Answer]) -> None:
        """`exchange`, `upload`, `getrequest` and `devicecmd` are answered with OK unless given."""
        super().__init__()
        self._answers = {
            name: [given] if isinstance(given, bytes | int) else list(given)
            for name, given in {
                "exchange": OPTIONS,
                "upload": b"OK",
                "getrequest": b"OK",
                "devicecmd": b"OK",
                **answers,
            }.items()
        }
        self.asked: list[tuple[str, bytes]] = []
        """What was asked, and with which body."""
        self.uris: list[bytes] = []
        self.headers: list[dict[bytes, list[bytes]]] = []
        self.site = Site(self, timeout=None)

    def render(self, request: Request) -> bytes | int:
        """Answer a request."""
        name = request.postpath[-1].decode()
        if name in ("cdata", "fdata"):
            name = "upload" if request.method == b"POST" else "exchange"
        self.asked.append((name, request.content.read()))
        self.uris.append(request.uri)
        self.headers.append(dict(request.requestHeaders.getAllRawHeaders()))
        answers = self._answers[name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer == LOST:
            request.loseConnection()
            return NOT_DONE_YET
        if isinstance(answer, int):
            request.setResponseCode(answer)
            return b"not now\n"
        return answer
