"""Attendance PUSH 2.x: its routing table, and what each row answers.

A terminal makes the initialization exchange (5), agrees on keys (6, 7), polls for commands (12) and
says how it is (9), uploads records (11), answers commands (13), asks for a user who is not on it
(14) or whether to let somebody in (12.8.3), fetches files (12.5.2, 12.8.2), and sends a heartbeat
while it is busy with a long upload (10).

The URL of a file is in the arguments (`?SN=…&url=…`), as UPGRADE is fetched, or is that of the
request, as PutFile is. In both, the secret of the command finds the file (`zkpush.device.files`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from ..device.answers import CommandAnswers
from ..device.downloads import Downloads
from ..device.exchange import Exchange
from ..device.intake import Intake
from ..device.questions import Answerer, Question
from ..device.queue import CommandQueue
from ..device.request import Gate, Request, TerminalRoute, never
from ..device.terminal import Terminal
from ..http.messages import FileReply
from ..protocol.envelope import EXCHANGE_CONTENT_TYPE, decode_step, encode_step, step_of
from ..protocol.errors import Refused, UnknownPath
from ..protocol.handshake import decode_hello
from ..protocol.requests import decode_upload, normalize_segment
from ..protocol.tables import ATTPHOTO, INFO
from ..protocol.tables.remote import REMOTE_ATTENDANCE
from ..protocol.verification import POST_VERIFY_DATA
from .file import file_reply
from .replies import with_token

_KEYS_CONTENT = f"Content-Type: {EXCHANGE_CONTENT_TYPE}\r\n".encode()
_FILE = b"file"


class AttendancePush:
    """The family of terminals that speak Attendance PUSH 2.x."""

    name = "attendance"

    def __init__(
        self,
        intake: Intake,
        exchange: Exchange,
        queue: CommandQueue,
        answers: CommandAnswers,
        questions: Mapping[Question, Answerer],
        downloads: Downloads,
    ) -> None:
        self._intake = intake
        self._exchange = exchange
        self._queue = queue
        self._answers = answers
        self._questions = questions
        self._downloads = downloads
        user, verify = f"table={REMOTE_ATTENDANCE}", f"type={POST_VERIFY_DATA}"
        session = Gate.SESSION
        self.routes = (
            # methods, path, selector, gate, action, meaning
            TerminalRoute(
                *("GET", "cdata", user, session, self.user, "lookup of a user"), is_long=True
            ),
            TerminalRoute(
                *("GET", "cdata", "", Gate.HELLO, self.begin, "initialization exchange"),
                is_long=True,
            ),
            TerminalRoute(
                *("POST", "cdata", verify, session, self.verify, "background verification"),
                is_long=True,
            ),
            TerminalRoute("POST", "cdata", "", session, self.upload, "upload", is_long=True),
            TerminalRoute(
                *("POST", "fdata", "", session, self.upload_photo, "upload of photos"), is_long=True
            ),
            TerminalRoute("POST", "exchange", "", Gate.ADMISSION, self.agree, "exchange of keys"),
            TerminalRoute(
                *("GET", "getrequest", "", session, self.poll, "poll for commands"),
                polls=True,
                changes=self.has_news,
            ),
            TerminalRoute(
                *("GET POST", "devicecmd", "", session, self.take_answers, "answers to commands"),
                is_long=True,
            ),
            TerminalRoute("GET POST", "ping", "", session, self.ping, "heartbeat", changes=never),
            TerminalRoute(
                *("GET HEAD", "file/", "SN=", session, self.file_of, "download of a file"),
                sends_files=True,
                changes=never,
            ),
            TerminalRoute(
                *("GET HEAD", "file/", "", Gate.NONE, self.file, "download of a file"),
                sends_files=True,
            ),
        )

    async def begin(self, request: Request, body: bytes) -> bytes | FileReply:
        """Make the initialization exchange, with `options=` or without; answer with the options."""
        head, hello = request.head, decode_hello(request.arguments)
        answer = await self._exchange.answer(request.sn, hello, head.address, head.cookie)
        return with_token(answer.body, answer.token)

    async def agree(self, request: Request, body: bytes) -> bytes | FileReply:
        """Answer with the public key, or the factor, of the server.

        Both steps are plain; what is secret of them is encrypted by itself.
        """
        head, step = request.head, step_of(request.arguments)
        value = decode_step(step, body)
        answer = await self._exchange.step(request.sn, step, value, head.address, head.cookie)
        return with_token(encode_step(step, answer.body), answer.token, _KEYS_CONTENT)

    def upload(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> Awaitable[bytes]:
        """Store an upload; answer with its acknowledgement."""
        upload = decode_upload(request.arguments, body, moves_stamp=is_proved)
        return self._intake.upload(terminal, upload)

    def upload_photo(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> Awaitable[bytes]:
        """Store an upload that contains attendance photos unless it names a table."""
        table = ATTPHOTO.name
        upload = decode_upload(request.arguments, body, table, moves_stamp=is_proved)
        return self._intake.upload(terminal, upload)

    def has_news(self, request: Request, terminal: Terminal) -> bool:
        """Whether a poll reports something new, or there is something to send."""
        return _news(request, terminal) is not None or self._queue.has_work(terminal)

    def poll(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> bytes | Awaitable[bytes]:
        """Answer with commands, or `OK` where there are none; never with nothing.

        Most polls report nothing new and find nothing to do. They are answered at once.
        """
        info = _news(request, terminal)
        if info is not None:
            return self._report(terminal, info, is_proved)
        return self._queue.poll(terminal, is_proved=is_proved)

    async def _report(self, terminal: Terminal, info: str, is_proved: bool) -> bytes:
        """Store the update information of a terminal, then poll."""
        await self._intake.report(terminal, INFO, info)
        commands = self._queue.poll(terminal, is_proved=is_proved)
        return commands if isinstance(commands, bytes) else await commands

    async def take_answers(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> bytes:
        """Store the answers to commands; they are on disk before the reply."""
        await self._answers.take(terminal, body, request.arguments)
        return b"OK"

    def ping(self, request: Request, terminal: Terminal, body: bytes, is_proved: bool) -> bytes:
        """Answer that the server is there. The specification shows GET and says POST."""
        return b"OK"

    def user(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> Awaitable[bytes]:
        """Answer with a user whom the terminal asks for."""
        if not is_proved:
            raise Refused("Users are sent to sessions that have proved themselves only.")
        return self._questions[Question.USER](terminal, request.arguments.get("PIN"))

    def verify(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> Awaitable[bytes]:
        """Answer whether the terminal lets somebody in whom it has recognised."""
        return self._questions[Question.ADMITTANCE](terminal, body)

    def file_of(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> Awaitable[FileReply]:
        """Answer with the file that the terminal was told to fetch."""
        return self.file(request, body)

    async def file(self, request: Request, body: bytes) -> FileReply:
        """Answer with a file; a URL alone does not say which terminal asks (12.5.2)."""
        head, url = request.head, request.arguments.get("url")
        is_bare = normalize_segment(head.path.rstrip(b"/").rpartition(b"/")[2]) == _FILE
        if is_bare != (url is not None):
            raise UnknownPath("There is nothing under this path; a file has a url.")
        path = head.path.decode("utf-8", "replace") if url is None else url
        found = await self._downloads.of_url(path, request.sn or None, head.address)
        return file_reply(found, head.range)


def _news(request: Request, terminal: Terminal) -> str | None:
    """The update information of a poll, if it is not that of the last one."""
    info: str | None = request.arguments.get("INFO")
    return info if info and info != terminal.reported else None
