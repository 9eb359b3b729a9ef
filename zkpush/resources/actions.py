"""Actions on terminal requests, independent of the terminal family.

Each `Action` has one implementation, which passes the request to the terminal's family for decoding
and the result to the services. `Actions.bind` attaches the implementations to the rows of a family.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from ..device.acknowledging import acknowledged
from ..device.answers import CommandAnswers
from ..device.downloads import Downloads
from ..device.exchange import Exchange
from ..device.families import Families
from ..device.intake import Intake
from ..device.questions import Answerer, Question
from ..device.queue import CommandQueue
from ..device.request import Gate, Request, TerminalRoute, always, never
from ..device.terminal import Terminal
from ..http.messages import FileReply
from ..interfaces import ITerminalFamily
from ..protocol.envelope import EXCHANGE_CONTENT_TYPE, decode_step, encode_step, step_of
from ..protocol.errors import Refused, UnknownPath
from ..protocol.requests import Upload, normalize_segment
from ..values.families import Action
from .file import file_reply
from .replies import with_token

_KEYS_CONTENT = f"Content-Type: {EXCHANGE_CONTENT_TYPE}\r\n".encode()
_FILE = b"file"


@attrs.frozen
class BoundAction:
    """The implementation of an action; see `TerminalRoute` for the other attributes."""

    run: Callable[..., Any]
    gate: Gate = Gate.SESSION
    is_long: bool = False
    polls: bool = False
    sends_files: bool = False
    changes: Callable[[Request, Terminal], bool] = always


class Actions:
    """The implementations of all actions."""

    def __init__(
        self,
        families: Families,
        intake: Intake,
        exchange: Exchange,
        queue: CommandQueue,
        answers: CommandAnswers,
        questions: Mapping[Question, Answerer],
        downloads: Downloads,
    ) -> None:
        self._families = families
        self._intake = intake
        self._exchange = exchange
        self._queue = queue
        self._answers = answers
        self._questions = questions
        self._downloads = downloads
        self._bound = {
            Action.BEGIN: BoundAction(self.begin, Gate.HELLO, is_long=True),
            Action.AGREE: BoundAction(self.agree, Gate.ADMISSION),
            Action.UPLOAD: BoundAction(intake.take, is_long=True),
            Action.POLL: BoundAction(self.poll, polls=True, changes=self.has_news),
            Action.ANSWER: BoundAction(self.take_answers, is_long=True),
            Action.PING: BoundAction(self.ping, changes=never),
            Action.LOOK_UP: BoundAction(self.user, is_long=True),
            Action.VERIFY: BoundAction(self.verify, is_long=True),
            Action.FETCH: BoundAction(self.file_of, sends_files=True, changes=never),
            Action.FETCH_UNNAMED: BoundAction(self.file, Gate.NONE, sends_files=True),
        }

    def bind(self, family: ITerminalFamily) -> tuple[TerminalRoute, ...]:
        """The routing rows of a family with the implementations of their actions."""
        return tuple(
            TerminalRoute(
                family,
                row.methods,
                row.path,
                row.selector,
                bound.gate,
                bound.run,
                row.meaning,
                is_long=bound.is_long,
                polls=bound.polls,
                sends_files=bound.sends_files,
                changes=bound.changes,
            )
            for row in family.routes
            for bound in (self._bound[row.action],)
        )

    async def begin(self, request: Request, body: bytes) -> bytes | FileReply:
        """Begin a session; reply with the terminal's options (spec 5)."""
        head, family = request.head, request.route.family
        hello = family.hello(request.arguments)
        claimant = self._families.claimant(request.route.path, request.arguments)
        answer = await self._exchange.answer(
            request.sn,
            hello,
            head.address,
            head.cookie,
            claimant or family,
            is_proxied=head.is_proxied,
        )
        return with_token(answer.body, answer.token)

    async def agree(self, request: Request, body: bytes) -> bytes | FileReply:
        """Reply with the public key or the factor of the server (spec 6, 7).

        Both steps are in plain text; their secret parts are encrypted individually.
        """
        head, step = request.head, step_of(request.arguments)
        value = decode_step(step, body)
        answer = await self._exchange.step(request.sn, step, value, head.address, head.cookie)
        return with_token(encode_step(step, answer.body), answer.token, _KEYS_CONTENT)

    def has_news(self, request: Request, terminal: Terminal) -> bool:
        """Whether a poll reports something new, or a command is due."""
        return _news(request, terminal) is not None or self._queue.has_work(terminal)

    def poll(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> bytes | Awaitable[bytes]:
        """Reply with commands or their absence (spec 12); never with an empty body.

        Most polls report nothing new and find no command. They are answered at once.
        """
        news = _news(request, terminal)
        if news is not None:
            return self._report(terminal, news, is_proved)
        return self._queue.poll(terminal, is_proved=is_proved)

    async def _report(self, terminal: Terminal, news: Upload, is_proved: bool) -> bytes:
        """Store the update information of a poll (spec 9), then answer the poll."""
        await self._intake.report(terminal, news)
        commands = self._queue.poll(terminal, is_proved=is_proved)
        return commands if isinstance(commands, bytes) else await commands

    async def take_answers(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> bytes:
        """Store the answers to commands (spec 13) before the reply."""
        kept = await self._answers.take(terminal, body, request.arguments)
        return acknowledged(terminal.family.received, kept)

    def ping(self, request: Request, terminal: Terminal, body: bytes, is_proved: bool) -> bytes:
        """Reply that the server is reachable (spec 10)."""
        return terminal.family.received

    def user(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> Awaitable[bytes]:
        """Reply with the requested user (spec 14)."""
        if not is_proved:
            raise Refused("Users are sent to sessions that have proved themselves only.")
        return self._questions[Question.USER](terminal, request.arguments.get("PIN"))

    def verify(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> Awaitable[bytes]:
        """Reply whether to admit a user whom the terminal has recognised."""
        return self._questions[Question.ADMITTANCE](terminal, body)

    def file_of(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> Awaitable[FileReply]:
        """Reply with the file that the terminal was told to fetch."""
        return self.file(request, body)

    async def file(self, request: Request, body: bytes) -> FileReply:
        """Reply with a file; a URL alone does not identify the terminal (spec 12.5.2)."""
        head, url = request.head, request.arguments.get("url")
        is_bare = normalize_segment(head.path.rstrip(b"/").rpartition(b"/")[2]) == _FILE
        if is_bare != (url is not None):
            raise UnknownPath("There is nothing under this path; a file has a url.")
        path = head.path.decode("utf-8", "replace") if url is None else url
        found = await self._downloads.of_url(path, request.sn or None, head.address)
        return file_reply(found, head.range, head.if_range)


def _news(request: Request, terminal: Terminal) -> Upload | None:
    """The update information of a poll, if it differs from the last one."""
    news = terminal.family.reported(request.arguments)
    return news if news is not None and news.body != terminal.reported else None
