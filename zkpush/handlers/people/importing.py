"""Import of people from CSV: `POST users/import`."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ...counting import people_phrase
from ...device import acts
from ...manage.errors import NotConfirmed
from ...manage.services import Services
from ...model import Caller, Page
from ...persist.areas import known_areas_thd
from ...persist.audit import AuditStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...values.people import Person
from .administration import REMOVE, PersonEdit, put_thd
from .cards import PlannedCards
from .columns import AREAS, Saying
from .filelines import FileLine, read_lines
from .filetexts import decoded
from .former import FormerPeople
from .limits import RULE, is_many
from .numbering import free_pin_thd, reuse_phrase
from .persons import PersonStore
from .reusing import CountPunches, stored_phrase_thd
from .store import PeopleStore

MOST_CSV = 16 * 1024 * 1024
"""Maximum size of a file, in bytes."""
_PART = 100
"""People written in one unit of work, so that uploads of terminals do not wait."""
_USERS_AT_ONCE = 1000


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
    name: Annotated[str | None, Meta(description="Name of the person, as the line has it")]
    action: Literal["add", "change", "unchanged", "error"]
    detail: Annotated[
        str,
        Meta(
            description="The mistakes, the fields that change, or that the user ID is that of "
            "somebody who left, or is erased, or has punches of nobody"
        ),
    ]


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of an import."""

    stored: Annotated[bool, Meta(description="Whether the changes were stored")]
    added: int
    changed: int
    unchanged: int
    removed: int
    errors: int
    new_areas: Annotated[
        list[str], Meta(description="Areas that the file names and that do not exist yet")
    ]
    lines: Annotated[list[LineView], Meta(description="All lines except unchanged ones")]


IMPORTED, ABSENT = "imported from a file", "missing in an imported file"
"""Why people are changed or removed, for the audit log."""
_Version = tuple[object, ...]
"""What changes when a person is changed, or removed and added again."""


class PeopleImport:
    """Imports files."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    async def run(self, content: bytes, query: ImportQuery, caller: Caller) -> ImportView:
        """Check a file as a whole, and store its people unless a line is wrong."""
        return await self.run_text(decoded(content), query, caller)

    async def run_text(
        self,
        text: str,
        query: ImportQuery,
        caller: Caller,
        said: Saying = str,
        meant: Collection[str] | None = None,
    ) -> ImportView:
        """As `run`; `said` translates names of columns and values into the language of a page.

        `meant` are the areas that may be new; None for any.
        """
        plan = await self._store.read(
            lambda tx: _plan_thd(tx, text, said, self._services.count_punches_thd)
        )
        lines, planned, absent, new_areas = plan
        removed = absent if query.remove_absent else {}
        views = [view for view in planned if view.action != "unchanged"]
        errors = sum(view.action == "error" for view in planned)
        is_stored, count = not query.dry_run and not errors, len(removed)
        if is_stored and meant is not None and not {*new_areas} <= {*meant}:
            raise ValueError(
                Phrase(
                    "These areas do not exist: %(areas)s. Confirm that the import adds them.",
                    areas=", ".join(new_areas),
                )
            )
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
            new_areas=new_areas,
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
        lines: Sequence[FileLine],
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
            put_thd(tx, edit, caller, now, IMPORTED)

    def _remove_thd(self, some: Mapping[str, _Version], caller: Caller, tx: Transaction) -> int:
        """Remove people, except for those who have changed since they were read."""
        now = self._services.now()
        people = tx[PeopleStore].users(Page(len(some)), *some)
        same = [one.pin for one in people if _version_of(one) == some[one.pin]]
        for pin in same:
            if tx[PersonStore].remove(pin, caller.actor, now):
                acts.record(tx, caller, REMOVE, tx[AuditStore].person(pin), ABSENT, now)
        return len(same)


def _version_of(person: Person) -> _Version:
    return (person.id, person.updated_at, person.templates, person.has_photo)


def _plan_thd(
    tx: Transaction, text: str, said: Saying, count: CountPunches
) -> tuple[list[FileLine], list[LineView], dict[str, _Version], list[str]]:
    """Read a file; return its lines, the outcome of each, who is in none, and new areas."""
    stored: dict[str, Mapping[str, Any]] = {}
    versions: dict[str, _Version] = {}
    after = 0
    while users := tx[PeopleStore].users(Page(_USERS_AT_ONCE, after)):
        for user in users:
            stored[user.pin] = msgspec.structs.asdict(user)
            versions[user.pin] = _version_of(user)
        after = users[-1].id
    lines = [*read_lines(text, stored, said)]
    views, cards = [], PlannedCards(stored)
    left, free = tx[FormerPeople].everybody(), free_pin_thd(tx)
    for line in lines:
        edit, mistakes = line.edit, line.mistakes
        if edit is not None:
            mistakes = cards.give(line.number, edit.pin, edit.fields) or ""
        if edit is None or mistakes:
            views.append(LineView(line.number, line.pin, line.name, "error", mistakes))
            continue
        before = stored.get(edit.pin)
        if before is None:
            pin = edit.pin
            if pin in left:
                reuse = reuse_phrase(pin, line.name, left[pin], free)
            else:
                reuse = stored_phrase_thd(tx, pin, free, count)
            views.append(LineView(line.number, line.pin, line.name, "add", reuse or ""))
            continue
        changed = [name for name, value in edit.fields.items() if value != before[name]]
        if edit.areas is not None and sorted(set(edit.areas)) != list(before["areas"]):
            changed.append(AREAS)
        action: Literal["change", "unchanged"] = "change" if changed else "unchanged"
        detail = ", ".join(line.headings[name] for name in changed)
        views.append(LineView(line.number, line.pin, line.name, action, detail))
    named = {line.pin for line in lines}
    absent = {pin: version for pin, version in versions.items() if pin not in named}
    areas = {area for line in lines if line.edit for area in line.edit.areas or ()}
    return lines, views, absent, sorted(areas.difference(known_areas_thd(tx)))
