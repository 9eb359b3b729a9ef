"""Import of people from CSV: `POST users/import`."""

from __future__ import annotations

import contextlib
import csv
import functools
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import attrs
import msgspec
from msgspec import Meta

from ...counting import people_phrase
from ...device import acts
from ...manage.cells import safe_text, unsafe_text
from ...manage.errors import NotConfirmed
from ...manage.services import Services
from ...model import Caller, Page
from ...persist.audit import AuditStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase, words_of
from ...protocol.fields import Kind
from ...values.people import Person
from .administration import REMOVE, PersonEdit, edit_of, put_thd
from .authorship import FIELDS
from .cards import PlannedCards
from .limits import RULE, is_many
from .persons import PersonStore
from .store import PeopleStore
from .views import UserView

MOST_CSV = 16 * 1024 * 1024
"""Maximum size of a file, in bytes."""
MOST_LINES = 100_000
_PART = 100
"""People written in one unit of work, so that uploads of terminals do not wait."""
_USERS_AT_ONCE = 1000
_IGNORED = frozenset(UserView.__struct_fields__) - FIELDS.keys() - {"pin", "areas"}
"""Columns of an export that are not imported."""


class ImportQuery(msgspec.Struct, frozen=True):
    """How a file is imported."""

    dry_run: Annotated[bool | None, Meta(description="Report only; store nothing")] = None
    remove_absent: Annotated[
        bool | None, Meta(description="Remove the people who are not in the file")
    ] = None
    confirm: Annotated[
        int | None,
        Meta(
            description=f"Number of people to remove: needed if these are {RULE}. With another "
            "number than a dry run reported, nothing is stored"
        ),
    ] = None


class LineView(msgspec.Struct, frozen=True):
    """Outcome of one line of a file."""

    line: Annotated[int, Meta(description="Number of the line; 1 is the header")]
    pin: str | None
    action: Literal["add", "change", "unchanged", "error"]
    detail: Annotated[str, Meta(description="The mistakes, or the fields that change")]


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of an import."""

    stored: Annotated[bool, Meta(description="Whether the changes were stored")]
    added: int
    changed: int
    unchanged: int
    removed: int
    errors: int
    lines: Annotated[list[LineView], Meta(description="All lines except unchanged ones")]


_Version = tuple[object, ...]
"""What changes when a person is changed, or removed and added again."""


@attrs.frozen
class _Line:
    number: int
    edit: PersonEdit | None
    pin: str | None
    mistakes: str = ""


class PeopleImport:
    """Imports files."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    async def run(self, content: bytes, query: ImportQuery, caller: Caller) -> ImportView:
        """Check a file as a whole, and store its people unless a line is wrong."""
        lines, planned, absent = await self._store.read(lambda tx: _plan_thd(tx, content))
        removed = absent if query.remove_absent else {}
        views = [view for view in planned if view.action != "unchanged"]
        errors = sum(view.action == "error" for view in planned)
        is_stored, count = not query.dry_run and not errors, len(removed)
        if is_stored:
            await self._check(removed, query.confirm)
            count = await self._write(lines, planned, removed, caller)
        return ImportView(
            stored=is_stored,
            added=sum(view.action == "add" for view in planned),
            changed=sum(view.action == "change" for view in planned),
            unchanged=sum(view.action == "unchanged" for view in planned),
            removed=count,
            errors=errors,
            lines=views,
        )

    async def _check(self, removed: Collection[str], confirm: int | None) -> None:
        """Refuse an unconfirmed removal of many people, and one of others than was confirmed."""
        count = len(removed)
        everybody = await self._store.read(lambda tx: tx[PersonStore].count())
        if confirm != count and (confirm is not None or is_many(count, everybody)):
            raise NotConfirmed(
                Phrase(
                    "This would remove %(count)s of %(people)s",
                    count=count,
                    people=people_phrase(everybody),
                ),
                count,
            )

    async def _write(
        self,
        lines: Sequence[_Line],
        planned: Sequence[LineView],
        removed: Mapping[str, _Version],
        caller: Caller,
    ) -> int:
        """Store the people; return the number of those who were removed."""
        wanted = [
            line.edit
            for line, view in zip(lines, planned, strict=True)
            if line.edit is not None and view.action in ("add", "change")
        ]
        for start in range(0, len(wanted), _PART):
            part = wanted[start : start + _PART]
            await self._store.write(functools.partial(self._put_thd, part, caller))
        count, pins = 0, [*removed]
        for start in range(0, len(pins), _PART):
            some = {pin: removed[pin] for pin in pins[start : start + _PART]}
            count += await self._store.write(functools.partial(self._remove_thd, some, caller))
        return count

    def _put_thd(self, part: Sequence[PersonEdit], caller: Caller, tx: Transaction) -> None:
        now = self._services.now()
        for edit in part:
            put_thd(tx, edit, caller, now)

    def _remove_thd(self, some: Mapping[str, _Version], caller: Caller, tx: Transaction) -> int:
        """Remove people, except for those who have changed since they were read."""
        now = self._services.now()
        people = tx[PeopleStore].users(Page(len(some)), *some)
        same = [one.pin for one in people if _version_of(one) == some[one.pin]]
        for pin in same:
            if tx[PersonStore].remove(pin, caller.actor, now):
                acts.record(tx, caller, REMOVE, tx[AuditStore].person(pin), "", now)
        return len(same)


def _lines(content: bytes, stored: Mapping[str, Mapping[str, Any]]) -> Iterator[_Line]:
    """Read a file; `ValueError` if it is no table of people. `stored` are the people by ID."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            Phrase(
                "Line %(line)s of the file is not UTF-8. Save the table as CSV UTF-8.",
                line=error.object.count(b"\n", 0, error.start) + 1,
            )
        ) from None
    first = text.partition("\n")[0]
    delimiter = ";" if _has(first, ";") else ","
    # Strict, so that a file that was cut off inside quotes is refused.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        raise ValueError(Phrase("The file is empty; its first line names the columns.")) from None
    except csv.Error as error:
        raise ValueError(Phrase("line 1: %(error)s", error=words_of(error))) from None
    _check_header(header)
    seen: dict[str, int] = {}
    try:
        for row in reader:
            if reader.line_num > MOST_LINES:
                raise ValueError(
                    Phrase(
                        "The file has more than %(most_lines)s lines; split it.",
                        most_lines=MOST_LINES,
                    )
                )
            if any(cell.strip() for cell in row):
                yield _line(reader.line_num, header, row, seen, stored)
    except csv.Error as error:
        raise ValueError(
            Phrase("line %(line_num)s: %(error)s", line_num=reader.line_num, error=words_of(error))
        ) from None


def _has(first: str, mark: str) -> bool:
    return mark in first and "," not in first


def _check_header(header: Sequence[str]) -> None:
    known = {"pin", "areas", *FIELDS}
    if "pin" not in header:
        raise ValueError(
            Phrase(
                "The first line names the columns, and `pin` must be one; others are %(known)s.",
                known=", ".join(sorted(known - {"pin"})),
            )
        )
    strange = [name for name in header if name not in known and name not in _IGNORED]
    if strange:
        raise ValueError(
            Phrase(
                "Unknown columns: %(strange)s; people have %(known)s.",
                strange=", ".join(name[:40] or "(empty)" for name in strange[:10]),
                known=", ".join(sorted(known)),
            )
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(Phrase("Columns that exist twice: %(twice)s.", twice=", ".join(twice)))


def _line(
    number: int,
    header: Sequence[str],
    row: Sequence[str],
    seen: dict[str, int],
    stored: Mapping[str, Mapping[str, Any]],
) -> _Line:
    if len(row) != len(header):
        return _Line(
            number,
            None,
            None,
            Phrase(
                "%(values)s for %(columns)s",
                values=counted_phrase("%(num)s value", "%(num)s values", len(row)),
                columns=counted_phrase("%(num)s column", "%(num)s columns", len(header)),
            ),
        )
    cells = {name: _text_of(cell) for name, cell in zip(header, row, strict=True)}
    pin = cells["pin"]
    if pin in seen:
        return _Line(
            number,
            None,
            pin,
            Phrase("pin: %(pin)s is in line %(line)s already", pin=pin, line=seen[pin]),
        )
    seen[pin] = number
    values: dict[str, object] = {}
    for name, cell in cells.items():
        if name not in FIELDS or not cell:  # an empty cell says nothing
            continue
        values[name] = cell
        if FIELDS[name].kind is Kind.INTEGER:
            with contextlib.suppress(ValueError):  # `edit_of` refuses the text
                values[name] = int(cell)
    areas = None
    if cells.get("areas"):
        areas = _areas_of(cells["areas"])
    before = stored.get(pin, {})
    try:
        edit = edit_of(pin, _as_stored(values, before), areas, before, is_new=pin not in stored)
    except ValueError as error:
        return _Line(number, None, pin, words_of(error))
    return _Line(number, edit, pin)


def _text_of(cell: str) -> str:
    """Return the text of a cell, as it was before an export made it safe for spreadsheets."""
    return unsafe_text(cell.strip())


def _areas_of(cell: str) -> list[str]:
    """Return the areas in a cell: names separated by commas, or a JSON array of names."""
    if cell.startswith("["):
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(cell, type=list[str])
    return [area.strip() for area in cell.split(",") if area.strip()]


def _as_stored(fields: Mapping[str, object], stored: Mapping[str, Any]) -> dict[str, object]:
    """Return the values of a line; those that are an export of the stored ones, as stored."""
    return {
        name: stored[name]
        if isinstance(stored.get(name), str) and _text_of(safe_text(stored[name])) == value
        else value
        for name, value in fields.items()
    }


def _version_of(person: Person) -> _Version:
    return (person.id, person.updated_at, person.templates, person.has_photo)


def _plan_thd(
    tx: Transaction, content: bytes
) -> tuple[list[_Line], list[LineView], dict[str, _Version]]:
    """Read a file; return its lines, the outcome of each, and the people who are in none."""
    stored: dict[str, Mapping[str, Any]] = {}
    versions: dict[str, _Version] = {}
    after = 0
    while users := tx[PeopleStore].users(Page(_USERS_AT_ONCE, after)):
        for user in users:
            stored[user.pin] = msgspec.structs.asdict(user)
            versions[user.pin] = _version_of(user)
        after = users[-1].id
    lines = [*_lines(content, stored)]
    views, cards = [], PlannedCards(stored)
    for line in lines:
        edit, mistakes = line.edit, line.mistakes
        if edit is not None:
            mistakes = cards.give(line.number, edit.pin, edit.fields) or ""
        if edit is None or mistakes:
            views.append(LineView(line.number, line.pin, "error", mistakes))
            continue
        before = stored.get(edit.pin)
        if before is None:
            views.append(LineView(line.number, line.pin, "add", ""))
            continue
        changed = [name for name, value in edit.fields.items() if value != before[name]]
        if edit.areas is not None and sorted(set(edit.areas)) != list(before["areas"]):
            changed.append("areas")
        action: Literal["change", "unchanged"] = "change" if changed else "unchanged"
        views.append(LineView(line.number, line.pin, action, ", ".join(changed)))
    named = {line.pin for line in lines}
    absent = {pin: version for pin, version in versions.items() if pin not in named}
    return lines, views, absent
