"""Page that sends a file to terminals in waves: as firmware, or to a path on them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ...device.files import name_of
from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import ConsoleForm, ConsolePage, ConsoleRoute, Redirect, View
from ...manage.console.phrases import Phrase
from ...manage.console.terminalchoice import TypedSerials
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...persist.files import FileStore
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ...values.files import StoredFile
from ...valuewords import TIME_OF_DAY
from .endpoints import JobEndpoints, endpoints_of
from .requests import WAVE, JobDeletionQuery, JobRequest
from .sendpages import NEEDED, TICK, TargetForm, target_options_thd, targets_thd
from .views import WindowView

FILES = Phrase("Your account is limited to areas, and files are for terminals of all areas.")
"""Why limited accounts send no files."""
NO_FILE = Phrase("There is no such file any more.")
BOTH = Phrase("Give both times, or none.")
DIFFERENT = Phrase("The end has to differ from the begin.")
Way = Literal["firmware", "file"]
_Time = Annotated[str, Meta(pattern=rf"^$|{TIME_OF_DAY}")]


class WaveQuery(msgspec.Struct, frozen=True):
    """What the file is for, and the chosen terminals."""

    way: Way = "firmware"
    device: TypedSerials = ""


class WaveForm(TargetForm, frozen=True, kw_only=True):
    """A file, its terminals and its waves."""

    way: Way
    form: Literal["1", "2"] = "2"
    """Transfer of firmware: in base64, or as it is."""
    path: Annotated[str, Meta(max_length=200)] = ""
    """Path on the terminals, of a file that is no firmware."""
    wave: Annotated[int, Meta(ge=1, le=10_000)] = WAVE
    stop_after: Annotated[int, Meta(ge=1, le=10_000)] = 1
    begin: _Time = ""
    end: _Time = ""


class WavePages:
    """The page of waves."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._jobs: JobEndpoints = endpoints_of(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and the form."""
        path = "/files/<int:file_id>/send"
        return [
            ConsolePage(
                path=path,
                title=Phrase("Send a file to terminals"),
                scope=Scope.DANGEROUS,
                run=self.show,
                query=WaveQuery,
            ),
            ConsoleForm(
                path=path,
                scope=Scope.DANGEROUS,
                fields=WaveForm,
                run=self.send,
                again=self.show,
            ),
        ]

    async def show(
        self,
        visit: Visit,
        file_id: int,
        query: WaveQuery | None = None,
        entry: FormEntry = NOTHING_ENTERED,
    ) -> View:
        """Show the form."""
        query = query or WaveQuery()
        way = entry.value("way", query.way)
        device = " ".join(query.device.split())

        def find(tx: Transaction) -> dict[str, object]:
            return {"file": _file_thd(tx, file_id), **target_options_thd(tx, device)}

        values = await self._store.read(find)
        return View(
            template="wave.html",
            title=Phrase("Send a file to terminals"),
            values={
                **values,
                "entry": entry,
                "is_firmware": way != "file",
                "wave": WAVE,
            },
        )

    async def send(self, visit: Visit, form: WaveForm, file_id: int) -> Redirect:
        """Send the file as a job."""
        file = await self._store.read(lambda tx: _file_thd(tx, file_id))
        targets = await self._store.read(lambda tx: targets_thd(tx, form, visit.areas))
        wrong = {**_mistakes(form), **targets.wrong}
        if wrong:
            raise FormMistakes(**wrong)
        request = JobRequest(
            command="UPGRADE" if form.way == "firmware" else "PutFile",
            params={"file": str(file_id), "form": form.form}
            if form.way == "firmware"
            else {"url": name_of(file), "path": form.path},
            devices=targets.serials if form.target == "device" else None,
            area=form.area if form.target == "area" else None,
            all=form.target == "all",
            wave=form.wave,
            stop_after=form.stop_after,
            window=WindowView(form.begin, form.end) if form.begin else None,
        )
        job = await self._jobs.add(request, JobDeletionQuery(), None, visit.caller)
        return Redirect(to=f"/jobs/{job.id}")


def _mistakes(form: WaveForm) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if form.way == "file" and not form.path:
        wrong["path"] = NEEDED
    if form.way == "firmware" and not form.sure:
        wrong["sure"] = TICK
    if bool(form.begin) != bool(form.end):
        wrong["end"] = BOTH
    elif form.begin and form.begin == form.end:
        wrong["end"] = DIFFERENT
    return wrong


def _file_thd(tx: Transaction, file_id: int) -> StoredFile:
    found = tx[FileStore].get(file_id)
    if found is None or found.command is not None:
        raise LookupError(NO_FILE)
    return found
