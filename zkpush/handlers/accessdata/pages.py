"""Pages of access data: the areas, the tables of one, and its entries."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
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
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.errors import ApiError
from ...manage.limits import AREA_OF_PAGE
from ...manage.services import Services
from ...model import Page
from ...pathparts import path_part
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ..areas.model import Area
from ..areas.store import AreaStore
from .administration import AccessChange, remove_thd
from .checks import DAYS
from .declared import ACCESS_TABLES, MOST_PICTURE, AccessMistakes, AccessTable, table_named
from .fields import FieldKind, Given
from .inputs import FILE, day_inputs, input_of, named_mistakes
from .labels import FIELD_LABELS, STATE_LABELS, TABLE_LABELS, key_label
from .model import AccessEntry, EntryPlace
from .showing import shown_fields
from .store import AccessStore
from .weeks import spread
from .whereabouts import AccessPlaces

PER_PAGE = 50
"""Areas, and entries of a table, on a page."""
MOST_PLACES = 100
"""Terminals of an entry that are shown."""
NO_AREA = Phrase("There is no such area.")
NO_TABLE = Phrase("There is no such table.")
NO_ENTRY = Phrase("There is no such entry.")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_TIMES = re.compile(rf"\s*{_CLOCK.pattern}(\s*[-\u2013]\s*{_CLOCK.pattern})?\s*")
_Key = Annotated[str, Meta(max_length=64)]


class AccessSearch(msgspec.Struct, frozen=True):
    """Place in a list."""

    after: Annotated[int, Meta(ge=0)] = 0


class AccessEntryQuery(msgspec.Struct, frozen=True):
    """The entry to change; empty for a new one."""

    key: _Key = ""


class EntryForm(msgspec.Struct, frozen=True):
    """An entry."""

    key: _Key
    params: dict[str, str] = {}
    days: dict[str, str] = {}
    """Texts for several days (`DAY_GROUPS`)."""
    file: bytes = b""


class EntryRemovalForm(msgspec.Struct, frozen=True):
    """The entry to delete."""

    key: _Key


FIRST = AccessSearch()
NEW = AccessEntryQuery()
DELETE = ConfirmationQuestion(
    title=Phrase("Delete this entry?"),
    text=Phrase(
        "It is deleted on the terminals of an area that keeps people on its terminals, too. "
        "Terminals have no command to delete time periods, holidays, groups and combinations; "
        "they keep these."
    ),
    button=Phrase("Delete"),
    back="/access/<area>/<table>",
)


class AccessPages:
    """Access data of areas."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages and forms."""
        one = "/access/<area>/<table>"
        return [
            ConsolePage(
                path="/access",
                title=Phrase("Access data"),
                run=self.areas,
                query=AccessSearch,
                nav=NavPlace(NavGroup.SITE, 20, "door"),
                limited=(),
            ),
            ConsolePage(
                path="/access/<area>",
                title=Phrase("Access data"),
                run=self.tables,
                limited=(AREA_OF_PAGE,),
            ),
            ConsolePage(
                path=one,
                title=Phrase("Access data"),
                run=self.list,
                query=AccessSearch,
                limited=(AREA_OF_PAGE,),
            ),
            ConsolePage(
                path=f"{one}/edit",
                title=Phrase("Access data"),
                scope=Scope.WRITE,
                run=self.edit,
                query=AccessEntryQuery,
                limited=(AREA_OF_PAGE,),
            ),
            ConsoleForm(
                path=f"{one}/edit",
                fields=EntryForm,
                run=self.put,
                again=self.edit,
                file=FILE,
                most_bytes=MOST_PICTURE + MOST_FORM,
                limited=(AREA_OF_PAGE,),
            ),
            ConsoleForm(
                path=f"{one}/delete",
                fields=EntryRemovalForm,
                run=self.remove,
                again=self.list,
                question=DELETE,
                limited=(AREA_OF_PAGE,),
            ),
        ]

    async def areas(self, visit: Visit, query: AccessSearch = FIRST) -> View:
        """List the areas, with the number of their entries."""

        def find_thd(tx: Transaction) -> list[tuple[Area, int]]:
            part = Page(PER_PAGE + 1, query.after, areas=visit.areas)
            counts = tx[AccessStore].counts
            return [(one, sum(counts(one.name).values())) for one in tx[AreaStore].page(part)]

        found = await self._store.read(find_thd)
        shown = found[:PER_PAGE]
        return View(
            template="areas.html",
            values={"areas": shown, **_pager(query, len(found), [one.place for one, _ in shown])},
        )

    async def tables(self, visit: Visit, area: str) -> View:
        """List the tables of an area."""

        def find_thd(tx: Transaction) -> tuple[Area, Mapping[str, int]]:
            return _area_thd(tx, area), tx[AccessStore].counts(area)

        found, counts = await self._store.read(find_thd)
        tables = [(one.name, *TABLE_LABELS[one.name], counts.get(one.name, 0)) for one in _TABLES]
        return View(template="tables.html", values={"area": found, "tables": tables})

    async def list(
        self,
        visit: Visit,
        area: str,
        table: str,
        query: AccessSearch = FIRST,
        entry: FormEntry = NOTHING_ENTERED,
    ) -> View:
        """List the entries of a table."""
        found = _table(table)

        def find_thd(tx: Transaction) -> dict[str, Any]:
            part = Page(PER_PAGE + 1, query.after)
            return {
                "area": _area_thd(tx, area),
                "entries": tx[AccessStore].page(area, table, part),
                "counts": tx[AccessPlaces].of_table(area, table),
            }

        values = await self._store.read(find_thd)
        listed: list[AccessEntry] = values["entries"]
        shown = listed[:PER_PAGE]
        return View(
            template="entries.html",
            title=TABLE_LABELS[found.name][0],
            values={
                **values,
                **_pager(query, len(listed), [one.id for one in shown]),
                "entry": entry,
                "table": found,
                "label": TABLE_LABELS[found.name][0],
                "help": TABLE_LABELS[found.name][1],
                "key_label": key_label(table)[0],
                "entries": [
                    (one, _shown(one), _badges(values["counts"].get(one.key, {}))) for one in shown
                ],
            },
        )

    async def edit(
        self,
        visit: Visit,
        area: str,
        table: str,
        query: AccessEntryQuery = NEW,
        entry: FormEntry = NOTHING_ENTERED,
    ) -> View:
        """Show the form of an entry, and its terminals."""
        found = _table(table)
        key = query.key or str(entry.value("key"))

        def find_thd(tx: Transaction) -> tuple[Area, AccessEntry | None, list[EntryPlace]]:
            store = tx[AccessStore]
            known = _area_thd(tx, area)
            stored = store.find(area, table, key) if key else None
            return known, stored, tx[AccessPlaces].of_entry(area, table, key) if stored else []

        known, stored, places = await self._store.read(find_thd)
        if query.key and stored is None:
            raise LookupError(NO_ENTRY)
        fields = {} if stored is None else stored.fields
        return View(
            template="entry.html",
            title=TABLE_LABELS[found.name][0],
            values={
                "area": known,
                "table": found,
                "label": TABLE_LABELS[found.name][0],
                "entry": entry,
                "stored": stored,
                "key_label": key_label(table)[0],
                "key_help": key_label(table)[1],
                "inputs": [
                    *day_inputs(found),
                    *(input_of(table, one, fields.get(one.name)) for one in found.fields),
                ],
                "has_file": any(field.kind is FieldKind.PICTURE for field in found.fields),
                "places": [(one, *STATE_LABELS[one.state]) for one in places[:MOST_PLACES]],
                "more": max(0, len(places) - MOST_PLACES),
            },
        )

    async def put(self, visit: Visit, form: EntryForm, area: str, table: str) -> Redirect:
        """Define an entry."""
        found, now = _table(table), self._services.now()
        stored = await self._store.read(lambda tx: tx[AccessStore].find(area, table, form.key))
        fields = {} if stored is None else stored.fields
        texts, groups = spread(form.params, form.days, fields)
        given: dict[str, Given] = {name: _tidy(name, text) for name, text in texts.items()}
        if form.file:
            given["content"] = base64.b64encode(form.file).decode()
        change = AccessChange(area, found, form.key, given)
        try:
            await self._store.write(lambda tx: change(tx, visit.caller, now))
        except AccessMistakes as error:
            raise FormMistakes(**named_mistakes(found, error.mistakes, groups)) from None
        return Redirect(to=_path(area, table), notice=Phrase("Saved."))

    async def remove(self, visit: Visit, form: EntryRemovalForm, area: str, table: str) -> Redirect:
        """Delete an entry."""
        found, now = _table(table), self._services.now()
        try:
            await self._store.write(
                lambda tx: remove_thd(tx, area, found, form.key, visit.caller, now)
            )
        except ApiError as error:
            gone = error.status is HTTPStatus.NOT_FOUND
            raise FormMistakes(NO_ENTRY if gone else error.detail) from None
        return Redirect(to=_path(area, table), notice=Phrase("The entry is deleted."))


_TABLES = ACCESS_TABLES


def _table(name: str) -> AccessTable:
    try:
        return table_named(name)
    except LookupError:
        raise LookupError(NO_TABLE) from None


def _area_thd(tx: Transaction, name: str) -> Area:
    found = tx[AreaStore].find(name)
    if found is None:
        raise LookupError(NO_AREA)
    return found


def _path(area: str, table: str) -> str:
    return f"/access/{path_part(area)}/{table}"


def _pager(query: AccessSearch, found: int, keys: list[int]) -> dict[str, object]:
    return {
        "next_query": urlencode({"after": keys[-1]}) if found > PER_PAGE else None,
        "first_query": "" if query.after else None,
    }


def _tidy(name: str, text: str) -> str:
    """Return times as they are stored: `8:00 - 17:30` is `08:00-17:30`; other texts unchanged."""
    found = _TIMES.fullmatch(text) if name in DAYS else None
    if found is None:
        return text
    return "-".join(f"{int(hour):02}:{minute}" for hour, minute in _CLOCK.findall(text))


def _shown(entry: AccessEntry) -> list[tuple[Phrase, str, bool]]:
    """Return the names of fields with their texts, and whether a text is a declared meaning."""
    found: list[tuple[Phrase, str, bool]] = []
    shown = shown_fields(entry)
    for name, value in shown.items():
        if name not in FIELD_LABELS or value is False:
            continue
        meaning = shown.get(f"{name}_meaning")
        if meaning is not None:
            found.append((FIELD_LABELS[name], str(meaning), True))
        elif value is True:
            found.append((FIELD_LABELS[name], "", False))
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            found.append((FIELD_LABELS[name], text, False))
    return found


def _badges(counts: Mapping[str, int]) -> list[tuple[Phrase, str, int]]:
    return [(*STATE_LABELS[state], number) for state, number in counts.items()]


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of access data."""
    return AccessPages(services).routes()
