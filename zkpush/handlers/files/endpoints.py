"""What is done with files, by the API and by pages.

Files are for terminals to download (12.5.2, 12.8.2), or were uploaded by them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Meta
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.server import Request

from ...device import acts
from ...device.downloads import Body, Download, Downloads
from ...device.files import name_of
from ...device.registry import Registry
from ...http.sending import Interrupted, Sending
from ...interfaces import IStore
from ...manage.errors import ApiError, bad_request, not_found
from ...manage.limits import WholeSite
from ...manage.lists import ApiList, Shown
from ...manage.readings import SecretAccessLog
from ...manage.recordviews import Damaged
from ...manage.routes import Route, Stream
from ...manage.services import Services
from ...manage.times import instant
from ...model import Caller
from ...persist.commands import CommandStore
from ...persist.files import FileStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase
from ...protocol.errors import Unavailable
from ...protocol.fields import Scope
from ...protocol.secrecy import Scopes, may_see
from ...values.files import StoredFile

LONGEST_NAME = 255
_log = Logger()

DIGESTS = "digests of files"
"""Their name in the audit log."""


class FileQuery(msgspec.Struct, frozen=True):
    """Name of a new file."""

    name: Annotated[
        str,
        Meta(
            description="1 to 255 printable characters; the end may matter to a terminal",
            extra_json_schema={"pattern": r"^[^/\\\x00-\x1f\x7f]{1,255}$"},
        ),
    ]


class FileView(msgspec.Struct, frozen=True, kw_only=True):
    """A file."""

    id: Annotated[int, Meta(description="Value of the parameter `file` of UPGRADE")]
    name: str
    size: Annotated[int, Meta(description="Bytes")]
    md5: Annotated[
        str | None,
        Meta(description="In hex; null without the scope `dangerous`: short content is guessed"),
    ]
    path: Annotated[
        str,
        Meta(description="Its name, which PutFile takes as `url`; terminals get a secret URL"),
    ]
    origin: Annotated[
        str | None, Meta(description="Terminal and command that it came from; null if added here")
    ]
    created_at: str
    damaged: Damaged = UNSET


def _view(file: StoredFile, scopes: Scopes) -> FileView:
    return FileView(
        id=file.id,
        name=file.name,
        size=file.size,
        md5=(file.md5 or None) if may_see(Scope.DANGEROUS, scopes) else None,
        path=name_of(file),
        origin=file.origin,
        created_at=instant(file.created_at),
        damaged=file.damaged or UNSET,
    )


FILES = WholeSite("Files are for terminals of all areas; use a token without areas.")


class FileEndpoints:
    """Handlers of the routes of files."""

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        downloads: Downloads,
        readings: SecretAccessLog,
        file_bytes: int,
    ) -> None:
        """`file_bytes` is the maximum size of a file."""
        self._readings = readings
        self._store = store
        self._registry = registry
        self._downloads = downloads
        self._file_bytes = file_bytes

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "POST",
                "/files",
                Scope.DANGEROUS,
                self.add,
                "Add a file for terminals",
                query=FileQuery,
                content=self._file_bytes,
                returns=FileView,
                status=HTTPStatus.CREATED,
                takes=("caller",),
                limited=FILES,
            ),
            ApiList[StoredFile](
                path="/files",
                summary="Files for terminals, and from them, in the order they were added",
                view=FileView,
                find_thd=lambda tx, part, query: tx[FileStore].page(part),
                show=lambda file, caller: _view(file, caller.scopes),
                note=self._note,
                whole_site=FILES,
            ).route(self._store),
            Route(
                "GET",
                "/files/<int:id>",
                Scope.READ,
                self.show,
                "One file",
                returns=FileView,
                takes=("caller",),
                limited=FILES,
            ),
            Route(
                "GET",
                "/files/<int:id>/content",
                Scope.DANGEROUS,
                self.content,
                "The content of a file",
                produces=("application/octet-stream",),
                takes=("caller",),
                limited=FILES,
            ),
            Route(
                "DELETE",
                "/files/<int:id>",
                Scope.DANGEROUS,
                self.remove,
                "Remove a file that no open command needs",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=FILES,
            ),
        ]

    async def add(self, query: FileQuery, content: bytes, caller: Caller) -> FileView:
        """Store a file."""
        name, now = _check_name(query.name), self._registry.now()

        def unit(tx: Transaction) -> StoredFile:
            file = tx[FileStore].add(name, content, None, now)
            detail = acts.file_detail(name, file.size)
            acts.record(tx, caller, acts.ADD_FILE, f"file {file.id}", detail, now)
            return file

        return _view(await self._store.write(unit), caller.scopes)

    async def show(self, id: int, caller: Caller) -> FileView:
        """Show a file."""
        view = _view(await self._find(id), caller.scopes)
        if view.md5 is not None:
            await self._readings.note(caller, DIGESTS, f"file {id}")
        return view

    async def _note(self, shown: Shown[StoredFile]) -> None:
        """Record that digests of files were shown to a caller."""
        if any(view.md5 is not None for view in shown.items):
            await self._readings.note(shown.caller, DIGESTS, "all files")

    async def content(self, id: int, caller: Caller) -> Stream:
        """Stream the content of a file."""
        file = await self._find(id)
        await self._readings.note(caller, "files", f"file {id}")
        try:
            download = await self._downloads.open(Body(file, in_base64=False))
        except Unavailable as error:
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
        headers = {
            "Content-Length": str(file.size),
            "Content-MD5": base64.b64encode(download.md5).decode(),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        }
        return Stream("application/octet-stream", _sender(download), headers)

    async def remove(self, id: int, caller: Caller) -> None:
        """Remove a file."""
        now = self._registry.now()

        def unit(tx: Transaction) -> bool:
            file = tx[FileStore].get(id)
            if file is None or file.command is not None:
                return False
            if tx[CommandStore].fetches(id):
                raise ApiError(
                    HTTPStatus.CONFLICT,
                    Phrase(
                        "A terminal has still to fetch the file %(id)s; cancel its command first.",
                        id=id,
                    ),
                )
            detail = acts.file_detail(file.name, file.size)
            acts.record(tx, caller, acts.REMOVE_FILE, f"file {id}", detail, now)
            return tx[FileStore].remove(id)

        if not await self._store.write(unit):
            raise _no_file(id)

    async def _find(self, id: int) -> StoredFile:
        file = await self._store.read(lambda tx: tx[FileStore].get(id))
        if file is None or file.command is not None:
            raise _no_file(id)
        return file


def _check_name(name: str) -> str:
    """Check that terminals can request the name, and people can read it."""
    bad = not name.isprintable() or any(character in name for character in "/\\\ufffd")
    if bad or not 0 < len(name) <= LONGEST_NAME or name in (".", ".."):
        raise bad_request(
            counted_phrase(
                "name: a file is called by 1 printable character without / or \\.",
                "name: a file is called by 1 to %(num)s printable characters without / or \\.",
                LONGEST_NAME,
            )
        )
    return name


def _no_file(id: int) -> ApiError:
    return not_found(Phrase("There is no file %(id)s.", id=id))


def _sender(download: Download) -> Callable[[Request], Callable[[], None]]:
    """Return the function that sends a download, and drops the connection if reading fails."""

    def begin(request: Request) -> Callable[[], None]:
        sending = Sending(download.part, request)
        request.notifyFinish().addErrback(lambda _: sending.stopProducing())

        async def run() -> None:
            try:
                await sending.run(0, len(download.body))
            except Interrupted:
                if request.channel is not None:
                    request.channel.forceAbortClient()
            else:
                request.finish()

        Deferred.fromCoroutine(run()).addErrback(
            lambda failure: _log.failure("A file was not sent", failure)
        )
        return sending.stopProducing

    return begin


def endpoints_of(services: Services) -> FileEndpoints:
    """Make the handlers of files."""
    return FileEndpoints(
        services.store,
        services.registry,
        services.downloads,
        services.secret_access,
        services.settings.limits.file_bytes,
    )
