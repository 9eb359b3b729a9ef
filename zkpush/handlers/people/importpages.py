"""Import of people in two steps: a preview of each line, then the import.

The browser keeps the file between the steps, compressed in a hidden field, so that any process can
serve both.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import zlib
from collections.abc import Mapping, Sequence

import attrs
import msgspec

from ...manage.cells import csv_lines
from ...manage.console.areachoice import no_area
from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    MOST_FORM,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    PageFile,
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.lists import CSV
from ...manage.services import Services
from ...persist.areas import known_areas_thd
from ...phrases import in_series
from ...protocol.codes import Privilege
from ...protocol.fields import Scope
from .authorship import FIELDS
from .columns import FEW_WORDS, MEANINGS, label_of
from .filetexts import ENCODINGS, decoded, example_of, is_unicode, likely_encoding
from .importing import MOST_CSV, ImportQuery, PeopleImport

FIELD_WORDS: Mapping[str, Sequence[Phrase]] = {
    name: [Phrase.made(words, {}) for words in FIELDS[name].coded_values().values()]
    for name in ("privilege", "verify")
}
"""Values of columns that are words."""
SAMPLE: Sequence[Mapping[str, str]] = (
    {
        "pin": "1001",
        "name": Phrase("Maria Example"),
        "card": "4711001",
        "areas": "",
        "privilege": Phrase.made(Privilege.USER.meaning, {}),
        "start_datetime": "2026-01-01",
        "end_datetime": "2027-12-31",
    },
    {
        "pin": "1002",
        "name": Phrase("John Sample"),
        "card": "",
        "areas": "",
        "privilege": "",
        "start_datetime": "",
        "end_datetime": "",
    },
)
"""Two invented people, with values by field."""
MOST_LINES = 100
"""Lines of a report that are shown, the wrong ones first."""
UNREADABLE = Phrase("The file did not arrive completely. Choose it again.")


class PreviewForm(msgspec.Struct, frozen=True):
    """The file."""

    file: bytes
    remove_absent: bool = False
    encoding: str = ""
    """Name of the encoding; empty to recognise it."""


class ImportForm(msgspec.Struct, frozen=True):
    """The file of the preview, in UTF-8."""

    packed: str
    remove_absent: bool = False
    confirm: int | None = None
    new_area: list[str] = []
    """The areas that may be added."""


class ImportPages:
    """The import."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._import = PeopleImport(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and the forms."""
        title = Phrase("Import people")
        return [
            ConsolePage(path="/people/import", title=title, scope=Scope.WRITE, run=self.show),
            ConsolePage(
                path="/people/import/sample.csv",
                title=Phrase("Sample file"),
                scope=Scope.WRITE,
                run=self.sample,
                is_file=True,
            ),
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
        values = {
            "entry": attrs.evolve(entry, action="/people/import"),
            "report": None,
            "most_bytes": MOST_CSV,
            "columns": [
                (label_of(name), name, meaning, FIELD_WORDS.get(name, ()))
                for name, meaning in MEANINGS.items()
            ],
            "few_words": FEW_WORDS,
            "encodings": [("", Phrase("Recognise it")), *ENCODINGS.items()],
        }
        return View(template="import.html", title=Phrase("Import people"), values=values)

    async def sample(self, visit: Visit) -> PageFile:
        """Return a file with two invented people, in the language of the page."""
        rows = [[visit.said(label_of(name)) for name in SAMPLE[0]]]
        rows += [[visit.said(text) for text in one.values()] for one in SAMPLE]
        return PageFile(
            content_type=f"{CSV}; charset=utf-8",
            body=codecs.BOM_UTF8 + csv_lines(rows),
            name="people-sample.csv",
        )

    async def preview(self, visit: Visit, form: PreviewForm) -> View:
        """Report what an import would do, line by line; store nothing."""
        if not form.file:
            raise FormMistakes(file=Phrase("No file was chosen, or it is empty."))
        if form.encoding and form.encoding not in ENCODINGS:
            raise FormMistakes(encoding=Phrase("This is none of the choices."))
        guessed, encoding = None, form.encoding or "utf-8"
        if not form.encoding and not is_unicode(form.file):
            guessed = encoding = likely_encoding(visit.language.code)
        text = decoded(form.file, encoding)
        query = ImportQuery(dry_run=True, remove_absent=form.remove_absent)
        report = await self._import.run_text(text, query, visit.caller, visit.said)
        known = await self._store.read(known_areas_thd)
        lines = sorted(report.lines, key=lambda one: (one.action != "error", one.line))
        return View(
            template="import.html",
            title=Phrase("Import people"),
            values={
                "report": report,
                "new_areas": [(name, no_area(name, known)) for name in report.new_areas],
                "lines": lines[:MOST_LINES],
                "series": in_series(("", "")).text,
                "more": max(0, len(lines) - MOST_LINES),
                "packed": base64.b64encode(zlib.compress(text.encode())).decode(),
                "guessed": None if guessed is None else ENCODINGS[guessed],
                "example": example_of(text),
                "remove_absent": form.remove_absent,
            },
        )

    async def run(self, visit: Visit, form: ImportForm) -> Redirect:
        """Import the file of the preview."""
        query = ImportQuery(remove_absent=form.remove_absent, confirm=form.confirm)
        text = decoded(_unpacked(form.packed))
        report = await self._import.run_text(
            text, query, visit.caller, visit.said, meant=form.new_area
        )
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
