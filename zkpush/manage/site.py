"""The management site."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.web.http import Request as AnyRequest
from twisted.web.server import Request, Site

from ..device.doorlog import DoorLog
from ..protocol.fields import Scope
from .auth import Tokens, offered
from .routes import MOST_BODY, Api, Route, header_of

IDLE_SECONDS = 60


class BackgroundJob(Protocol):
    """Work that is done now and then."""

    def start(self) -> None:
        """Begin, once the store is open."""

    def stop(self) -> None:
        """Do no more."""


class ManageRequest(Request):
    """A request of which no more is kept than its sender may send; that it is more shows.

    It is kept in memory: a body may be secret, and Twisted's own request puts a long one on disk.
    """

    is_cut = False
    """Whether some of the body was thrown away."""

    def gotLength(self, length: int | None) -> None:
        """The body comes next."""
        self.content = BytesIO()
        channel: Any = self.channel
        self._room: int = channel.site.most_of(header_of(self, "authorization")) + 1

    def handleContentChunk(self, data: bytes) -> None:
        """A part of the body."""
        kept = data[: self._room]
        self.is_cut = self.is_cut or len(kept) < len(data)
        self._room -= len(kept)
        super().handleContentChunk(kept)


class ManageSite(Site):
    """Serves the API; bodies of forms are not read, and requests are not logged."""

    noisy = False

    def __init__(
        self,
        routes: Sequence[Route],
        tokens: Tokens,
        jobs: Sequence[BackgroundJob],
        file_bytes: int,
        door: DoorLog,
        reactor: IReactorTime,
    ) -> None:
        """`jobs` run as long as the site is served: in one process of each node.

        `door` hears of who is turned away.
        """
        self._tokens = tokens
        self._file_bytes = file_bytes
        self._api = Api(routes, tokens, door)
        self._jobs = jobs
        super().__init__(
            self._api,
            requestFactory=ManageRequest,
            timeout=IDLE_SECONDS,
            reactor=reactor,
            parsePOSTFormSubmission=False,
        )

    def startFactory(self) -> None:
        """Hear that the site is served."""
        super().startFactory()
        self._tokens.start()
        for job in self._jobs:
            job.start()

    def stopFactory(self) -> None:
        """Take nothing new: replies that would go on for ever end now."""
        super().stopFactory()
        self._tokens.stop()
        for job in self._jobs:
            job.stop()
        self._api.stop()

    def most_of(self, authorization: str | None) -> int:
        """The longest body that the bearer of a token may send: files are not for everyone."""
        caller = self._tokens.caller(offered(authorization))
        if caller is None or Scope.DANGEROUS not in caller.scopes:
            return MOST_BODY
        return max(MOST_BODY, self._file_bytes)

    def log(self, request: AnyRequest) -> None:
        """Log nothing."""
