"""Pages of files: the list, their upload, one file, and its removal."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    MOST_FORM,
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    NavGroup,
    NavPlace,
    PageStream,
    Redirect,
    View,
    of_whole_site,
)
from ...manage.console.phrases import Phrase
from ...manage.console.terminalchoice import TypedSerials
from ...manage.console.visits import Visit
from ...manage.errors import ApiError
from ...manage.services import Services
from ...model import Page
from ...persist.files import FileStore
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ...values.files import StoredFile
from .endpoints import FileEndpoints, FileQuery, endpoints_of

LIMITED = Phrase("Your account is limited to areas, and files are for terminals of all areas.")
"""Why it is refused to limited accounts."""
PER_PAGE = 50
"""Files on a page of the list."""
NO_FILE = Phrase("There is no such file any more.")
WRONG_NAME = Phrase("Use 1 to 255 printable characters without slashes.")
STILL_NEEDED = Phrase("A terminal has still to fetch this file. Cancel its command first.")


class FileSearch(msgspec.Struct, frozen=True):
    """Place in the list, and the terminals that a file is chosen for."""

    after: Annotated[int, Meta(ge=0)] = 0
    device: TypedSerials = ""


class FileReceivers(msgspec.Struct, frozen=True):
    """The terminals that a file is chosen for."""

    device: TypedSerials = ""


class NewFileForm(msgspec.Struct, frozen=True):
    """A file to store, and the terminals that it is for."""

    name: str
    file: bytes
    device: TypedSerials = ""


class FileButton(msgspec.Struct, frozen=True):
    """A form that is one button."""


class FilePages:
    """The files of the site."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._files: FileEndpoints = endpoints_of(services)
        self._most_bytes = services.settings.limits.file_bytes

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages, the download and the forms."""
        one = "/files/<int:file_id>"
        return [
            ConsolePage(
                path="/files",
                title=Phrase("Files and firmware"),
                run=self.list,
                query=FileSearch,
                nav=NavPlace(NavGroup.SITE, 50, "file"),
            ),
            ConsoleForm(
                path="/files",
                scope=Scope.DANGEROUS,
                fields=NewFileForm,
                run=self.add,
                again=self.list,
                file="file",
                most_bytes=self._most_bytes + MOST_FORM,
            ),
            ConsolePage(path=one, title=Phrase("File"), run=self.show, query=FileReceivers),
            ConsolePage(
                path=f"{one}/content",
                title=Phrase("File"),
                scope=Scope.DANGEROUS,
                run=self.content,
                is_file=True,
            ),
            ConsoleForm(
                path=f"{one}/delete",
                scope=Scope.DANGEROUS,
                fields=FileButton,
                run=self.delete,
                again=self.show,
                question=ConfirmationQuestion(
                    title=Phrase("Delete this file?"),
                    text=Phrase("Its content is lost for good."),
                    button=Phrase("Delete"),
                    back=one,
                ),
            ),
        ]

    async def list(
        self, visit: Visit, query: FileSearch | None = None, entry: FormEntry = NOTHING_ENTERED
    ) -> View:
        """List files, and show the form of a new one."""
        query = query or FileSearch()
        kept = _receivers(str(entry.value("device", query.device)))

        def find(tx: Transaction) -> tuple[list[StoredFile], set[str]]:
            found = tx[FileStore].page(Page(PER_PAGE + 1, query.after))
            return found, _senders_thd(tx, found)

        found, senders = await self._store.read(find)
        shown = found[:PER_PAGE]
        more = {"after": str(shown[-1].id), **kept} if len(found) > PER_PAGE else None
        return View(
            template="files.html",
            title=Phrase("Files and firmware"),
            values={
                "files": shown,
                "senders": senders,
                "entry": entry,
                "most_bytes": self._most_bytes,
                "receivers": kept.get("device", ""),
                "next_query": None if more is None else urlencode(more),
                "first_query": urlencode(kept) if query.after else None,
            },
        )

    async def add(self, visit: Visit, form: NewFileForm) -> Redirect:
        """Store a file."""
        if not form.file:
            raise FormMistakes(file=Phrase("Choose a file."))
        try:
            added = await self._files.add(FileQuery(form.name), form.file, visit.caller)
        except ApiError as error:
            if error.status is HTTPStatus.BAD_REQUEST:
                raise FormMistakes(name=WRONG_NAME) from None
            raise
        kept = _receivers(form.device)
        to = f"/files/{added.id}" + (f"?{urlencode(kept)}" if kept else "")
        return Redirect(to=to, notice=Phrase("The file is stored."))

    async def show(
        self,
        visit: Visit,
        file_id: int,
        query: FileReceivers | None = None,
        entry: FormEntry = NOTHING_ENTERED,
    ) -> View:
        """Show a file, and what can be done with it."""
        found = await self._find(file_id)
        if visit.allows(Scope.DANGEROUS):
            await self._files.show(file_id, visit.caller)  # notes that its digest is shown
        kept = {} if query is None else _receivers(query.device)
        return View(
            template="file.html",
            title=found.name,
            values={
                "one": found,
                "senders": await self._store.read(lambda tx: _senders_thd(tx, [found])),
                "entry": entry,
                "receivers": kept.get("device", ""),
            },
        )

    async def content(self, visit: Visit, file_id: int) -> PageStream:
        """Send the content of a file."""
        found = await self._find(file_id)
        return PageStream(stream=await self._files.content(file_id, visit.caller), name=found.name)

    async def delete(self, visit: Visit, form: FileButton, file_id: int) -> Redirect:
        """Delete a file."""
        await self._find(file_id)
        try:
            await self._files.remove(file_id, visit.caller)
        except ApiError as error:
            if error.status is HTTPStatus.CONFLICT:
                raise FormMistakes(STILL_NEEDED) from None
            raise LookupError(NO_FILE) from None
        return Redirect(to="/files", notice=Phrase("The file is deleted."))

    async def _find(self, file_id: int) -> StoredFile:
        def find(tx: Transaction) -> StoredFile | None:
            return tx[FileStore].get(file_id)

        found = await self._store.read(find)
        if found is None or found.command is not None:
            raise LookupError(NO_FILE)
        return found


def _senders_thd(tx: Transaction, files: Sequence[StoredFile]) -> set[str]:
    """Return the serial numbers of the terminals that sent files, without those that are gone."""
    serials = {one.origin.partition(" ")[0] for one in files if one.origin}
    return {*tx[TargetStore].named(serials)}


def _receivers(device: str) -> dict[str, str]:
    """Return the query that keeps the chosen terminals; empty without any."""
    chosen = " ".join(device.split())
    return {"device": chosen} if chosen else {}


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of files."""
    return of_whole_site(FilePages(services).routes(), LIMITED)
