"""A server that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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

    def __init__(
        self,
        *,
        files: Mapping[str, bytes] = {},
        ranges: bool = True,
        **answers: Answer | Sequence[Answer],
    ) -> None:
        """`exchange`, `upload`, `getrequest` and `devicecmd` are answered with OK unless given.

        `files` are by what follows /iclock/, and by the URL that is asked for there; they are
        served in ranges, or by a server that does not know those. `file` are answers that come
        first: 200 stands for the file.
        """
        super().__init__()
        self._files = files
        self._ranges = ranges
        self._answers = {
            name: [given] if isinstance(given, bytes | int) else list(given)
            for name, given in {
                "exchange": OPTIONS,
                "upload": b"OK",
                "getrequest": b"OK",
                "devicecmd": b"OK",
                "file": 200,
                **answers,
            }.items()
        }
        self.asked: list[tuple[str, bytes]] = []
        """What was asked, and with which body; files by `file`."""
        self.uris: list[bytes] = []
        self.headers: list[dict[bytes, list[bytes]]] = []
        self.site = Site(self, timeout=None)

    @property
    def answers(self) -> list[bytes]:
        """What commands were answered with."""
        return [body for name, body in self.asked if name == "devicecmd"]

    @property
    def uploads(self) -> list[bytes]:
        """What was uploaded."""
        return [body for name, body in self.asked if name == "upload"]

    def say(self, name: str, answer: Answer) -> None:
        """Answer one path with something else from now on."""
        self._answers[name] = [answer]

    def render(self, request: Request) -> bytes | int:
        """Answer a request."""
        name = request.postpath[-1].decode()
        path = b"/".join(request.args.get(b"url", request.postpath[1:])).decode()
        if request.postpath[1] == b"file":
            name = "file"
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
        if name == "file" and answer == 200:
            return self._file(request, path)
        if isinstance(answer, int):
            request.setResponseCode(answer)
            return b"not now\n"
        return answer

    def _file(self, request: Request, path: str) -> bytes:
        """A part of a file, or all of it."""
        if path not in self._files:
            request.setResponseCode(404)
            return b"no file\n"
        content, wanted = self._files[path], request.getHeader("Range")
        if not self._ranges or wanted is None:
            return content
        first, last = (int(text) for text in wanted.removeprefix("bytes=").split("-"))
        part = content[first : last + 1]
        request.setResponseCode(206 if part else 416)
        said = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        request.setHeader("Content-Range", said)
        return part
