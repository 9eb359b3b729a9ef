"""Import of people in two steps: a preview of each line, then the import.

The browser keeps the file between the steps, compressed in a hidden field, so that any process can
serve both.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import msgspec

from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    MOST_FORM,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...protocol.fields import Scope
from .importing import MOST_CSV, ImportQuery, PeopleImport

MOST_LINES = 100
"""Lines of a report that are shown, the wrong ones first."""
UNREADABLE = Phrase("The file did not arrive completely. Choose it again.")


class PreviewForm(msgspec.Struct, frozen=True):
    """The file."""

    file: bytes
    remove_absent: bool = False


class ImportForm(msgspec.Struct, frozen=True):
    """The file of the preview."""

    packed: str
    remove_absent: bool = False
    confirm: int | None = None


class ImportPages:
    """The import."""

    def __init__(self, services: Services) -> None:
        self._import = PeopleImport(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and the forms."""
        title = Phrase("Import people")
        return [
            ConsolePage(path="/people/import", title=title, scope=Scope.WRITE, run=self.show),
            ConsoleForm(
                path="/people/import",
                fields=PreviewForm,
                run=self.preview,
                again=self.show,
                file="file",
                most_bytes=MOST_CSV + MOST_FORM,
            ),
            ConsoleForm(
                path="/people/import/run",
                fields=ImportForm,
                run=self.run,
                again=self.show,
                most_bytes=MOST_CSV + MOST_FORM,
            ),
        ]

    async def show(self, visit: Visit, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show the form."""
        kept = FormEntry({}, entry.mistakes, entry.wrong)
        values = {"entry": kept, "report": None, "most_bytes": MOST_CSV}
        return View(template="import.html", title=Phrase("Import people"), values=values)

    async def preview(self, visit: Visit, form: PreviewForm) -> View:
        """Report what an import would do, line by line; store nothing."""
        if not form.file:
            raise FormMistakes(file=Phrase("No file was chosen, or it is empty."))
        query = ImportQuery(dry_run=True, remove_absent=form.remove_absent)
        report = await self._import.run(form.file, query, visit.caller)
        lines = sorted(report.lines, key=lambda one: (one.action != "error", one.line))
        return View(
            template="import.html",
            title=Phrase("Import people"),
            values={
                "report": report,
                "lines": lines[:MOST_LINES],
                "more": max(0, len(lines) - MOST_LINES),
                "packed": base64.b64encode(zlib.compress(form.file)).decode(),
                "remove_absent": form.remove_absent,
            },
        )

    async def run(self, visit: Visit, form: ImportForm) -> Redirect:
        """Import the file of the preview."""
        query = ImportQuery(remove_absent=form.remove_absent, confirm=form.confirm)
        report = await self._import.run(_unpacked(form.packed), query, visit.caller)
        if not report.stored:
            raise FormMistakes(Phrase("The people have changed meanwhile. Check the file again."))
        return Redirect(
            to="/people",
            notice=Phrase(
                "Imported: %(added)s added, %(changed)s changed, %(removed)s removed.",
                added=report.added,
                changed=report.changed,
                removed=report.removed,
            ),
        )


def _unpacked(packed: str) -> bytes:
    """Return the file of a preview; `FormMistakes` if it is damaged or too long."""
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.b64decode(packed, validate=True), MOST_CSV)
    except (binascii.Error, zlib.error, ValueError):
        raise FormMistakes(UNREADABLE) from None
    if not unpacker.eof:
        raise FormMistakes(UNREADABLE)
    return content
