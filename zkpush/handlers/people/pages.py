"""Pages of people: the list, one person, and changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from ...manage.console.areachoice import no_area, unknown_area
from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    NameSearch,
    NavGroup,
    NavPlace,
    Redirect,
    View,
    of_whole_site,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import PERSON
from ...manage.services import Services
from ...model import Page
from ...pathparts import path_part
from ...persist.areas import idle_areas_thd, known_areas_thd
from ...persist.transaction import Transaction
from ...protocol.codes import Privilege
from ...protocol.fields import Scope
from ...values.personwords import PERSON_LABELS
from ...values.punchspans import PunchSpan
from .administration import PeopleAdministration, edit_of
from .bounds import area_without_choice
from .cards import CardTaken
from .changepages import RemovalPages
from .conflictpages import ConflictPages
from .deletionstates import asked_again, departed_values_thd
from .enrolpages import EnrolmentPages
from .entering import PersonMistakes
from .exportpages import ListedPeople, PeopleExportPages
from .former import Departure
from .importpages import ImportPages
from .leaverpages import LeaverPages
from .leavers import leavers_thd
from .numbering import free_pin_thd
from .personforms import (
    NewPersonForm,
    NewPersonQuery,
    PersonForm,
    entered_texts,
    saved_phrase,
    shown_texts,
)
from .persons import PersonStore
from .portraitpages import PortraitPages
from .punchpages import PunchPages
from .reusing import reuse_question_thd
from .rightspages import RightsPages
from .showing import NO_PERSON, departed_thd, person_thd
from .store import PeopleStore, similar_people_thd
from .views import user_for

IMPORT = Phrase(
    "Your account is limited to areas, and a file may name people of others. Add and change people "
    "one by one."
)
"""Why limited accounts import no file."""
PER_PAGE = 40
"""People on a page of the list."""
MOST_AREAS = 100
"""Maximum number of areas to tick; the names of more are typed."""


class PeopleSearch(ListedPeople, frozen=True):
    """Filter and page of the list."""

    after: Annotated[str, Meta(max_length=100)] | None = None
    """The last user ID of the page before."""


class PeoplePages:
    """The list, one person, and the form of a person."""

    def __init__(self, services: Services) -> None:
        self._count = services.count_punches_thd
        self._store = services.store
        self._people = PeopleAdministration(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages and forms."""
        return [
            ConsolePage(
                path="/people",
                title=Phrase("People"),
                run=self.list,
                query=PeopleSearch,
                nav=NavPlace(NavGroup.DAILY, 40, "people"),
                limited=(),
            ),
            ConsolePage(
                path="/people/new",
                title=Phrase("Add a person"),
                scope=Scope.WRITE,
                run=self.new,
                query=NewPersonQuery,
                limited=(),
            ),
            ConsoleForm(
                path="/people/new",
                fields=NewPersonForm,
                run=self.add,
                again=self.new,
                question=self.ask_reuse,
                limited=(),
            ),
            NameSearch(
                variable="pin",
                path="/people",
                field="q",
                label=Phrase("Name, user ID or card"),
                title=Phrase("All people"),
                similar=self.similar,
            ),
            ConsolePage(path="/people/<pin>", title=Phrase("Person"), run=self.show, limited=()),
            ConsolePage(
                path="/people/<pin>/edit",
                title=Phrase("Change a person"),
                scope=Scope.WRITE,
                run=self.edit,
                limited=(PERSON,),
            ),
            ConsoleForm(
                path="/people/<pin>/edit",
                fields=PersonForm,
                run=self.change,
                again=self.edit,
                limited=(PERSON,),
            ),
        ]

    async def list(self, visit: Visit, query: PeopleSearch) -> View:
        """List people."""

        def find_thd(tx: Transaction) -> dict[str, Any]:
            return {
                "left": len(leavers_thd(tx, query.q.strip(), visit.areas)) if query.q else None,
                "people": tx[PeopleStore].in_order(
                    PER_PAGE + 1, query.filter, query.after, visit.areas
                ),
                "count": tx[PersonStore].count(visit.areas),
                "areas": sorted(
                    one
                    for one in tx[PersonStore].area_counts()
                    if visit.areas is None or one in visit.areas
                ),
            }

        values = await self._store.read(find_thd)
        found = values.pop("people")
        shown = found[:PER_PAGE]
        asked = {name: text for name, text in (("q", query.q), ("area", query.area)) if text}
        names = values.pop("areas")
        is_known = not query.area or query.area in names
        wrong = {} if is_known else {"area": no_area(query.area, names)}
        more = urlencode({**asked, "after": shown[-1].pin}) if len(found) > PER_PAGE else None
        areas = [("", Phrase("All")), *((name, name) for name in names)]
        given = {"q": [query.q], "area": [query.area]}
        return View(
            template="people.html",
            values={
                **values,
                "people": [user_for(visit.caller, one) for one in shown],
                "next_query": more,
                "first_query": urlencode(asked) if query.after else None,
                "areas": areas,
                "export": urlencode(asked),
                "entry": FormEntry(given, (), wrong),
                "is_filtered": bool(asked),
                "may_change": visit.allows(Scope.WRITE),
            },
        )

    async def similar(self, visit: Visit, text: str) -> Sequence[tuple[str, str]] | None:
        """Return paths and names of people who may be meant; None for one who is there."""

        def find_thd(tx: Transaction) -> list[tuple[str, str]] | None:
            if tx[PeopleStore].users(Page(1, areas=visit.areas), text):
                return None
            return similar_people_thd(tx, text, visit.areas)

        found = await self._store.read(find_thd)
        return found and [(f"/people/{path_part(pin)}", f"{name} ({pin})") for pin, name in found]

    async def show(self, visit: Visit, pin: str) -> View:
        """Show a person, or what stays of one who left or was erased."""

        def find_thd(tx: Transaction) -> tuple[Departure | None, dict[str, Any]]:
            departure = departed_thd(tx, pin, visit.caller)
            if departure is None:
                return None, person_thd(tx, pin, visit.caller)
            return departure, {
                "punches": self._count(tx, PunchSpan(pin=pin)),
                **departed_values_thd(tx, pin, departure, visit.caller),
            }

        departure, values = await self._store.read(find_thd)
        if departure is not None:
            return _departed_view(visit, pin, departure, values)
        return View(
            template="person.html",
            title=values["person"].name or pin,
            values={
                **values,
                "may_change": visit.allows(Scope.WRITE),
                "sees_photo": values["person"].has_photo and visit.allows(Scope.BIOMETRICS),
            },
        )

    async def new(
        self,
        visit: Visit,
        query: NewPersonQuery | None = None,
        entry: FormEntry = NOTHING_ENTERED,
    ) -> View:
        """Show the form of a new person."""
        if query is not None and query.pin:
            entry = FormEntry({"pin": [query.pin]}, (), {})
        return await self._form(visit, entry, Phrase("Add a person"), {}, None)

    async def ask_reuse(self, visit: Visit, form: NewPersonForm) -> ConfirmationQuestion | None:
        """Ask whether a person gets the user ID of somebody else who left."""
        return await self._store.read(
            lambda tx: reuse_question_thd(tx, form.pin, form.name, visit.areas, self._count)
        )

    async def add(self, visit: Visit, form: NewPersonForm) -> Redirect:
        """Add a person."""
        known = await self._store.read(lambda tx: tx[PeopleStore].known([form.pin]))
        if known:
            raise FormMistakes(pin=Phrase("Another person has this user ID."))
        areas = await self._areas(visit, form, ())
        await self._put(visit, form.pin, entered_texts(form), {}, areas)
        notice = Phrase("%(name)s is added.", name=form.name or form.pin)
        return Redirect(to=f"/people/{path_part(form.pin)}", notice=notice)

    async def edit(self, visit: Visit, pin: str, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show the form of a person."""
        found = await self._person(pin)
        person, has_password = user_for(visit.caller, found), bool(found.password)
        title = Phrase("Change a person")
        return await self._form(
            visit, entry, title, shown_texts(person), pin, person.areas, has_password
        )

    async def change(self, visit: Visit, form: PersonForm, pin: str) -> Redirect:
        """Change what differs from the stored values, whose author becomes this account."""
        person = user_for(visit.caller, await self._person(pin))
        before, given = shown_texts(person), entered_texts(form)
        changed = {name: text for name, text in given.items() if text != before.get(name, "")}
        areas = await self._areas(visit, form, person.areas)
        listed = None if set(areas) == set(person.areas) else areas
        if changed or listed is not None:
            await self._put(visit, pin, changed, msgspec.structs.asdict(person), listed)
        idle: list[str] = []
        if listed is not None:
            idle = await self._store.read(lambda tx: idle_areas_thd(tx, areas, visit.areas))
        return Redirect(to=f"/people/{path_part(pin)}", notice=saved_phrase(idle))

    async def _put(
        self,
        visit: Visit,
        pin: str,
        texts: Mapping[str, str],
        known: Mapping[str, object],
        areas: Sequence[str] | None,
    ) -> None:
        wrong: dict[str, str] = {}
        values: dict[str, object] = {}
        for name, text in texts.items():
            is_number = name in ("privilege", "group")
            if is_number and text and not text.isdecimal():
                wrong[name] = Phrase("This is not a number.")
            values[name] = int(text) if is_number and text.isdecimal() else text or None
        if wrong:
            raise FormMistakes(**wrong)
        if not known and not areas:
            areas = None
        try:
            edit = edit_of(pin, values, areas, known, is_new=not known)
        except PersonMistakes as error:
            raise FormMistakes(**error.fields) from None
        try:
            await self._people.put(edit, visit.caller)
        except CardTaken as error:
            raise FormMistakes(**{error.field: error.detail}) from None

    async def _known_areas(self, visit: Visit) -> Sequence[str]:
        """Return the areas that the visitor can put people into."""
        if visit.areas is not None:
            return sorted(visit.areas)
        return await self._store.read(known_areas_thd)

    async def _areas(
        self, visit: Visit, form: PersonForm, before: Collection[str]
    ) -> Sequence[str]:
        """Return the chosen areas, which exist or are those of the person already."""
        typed = (area.strip() for area in form.typed_areas.split(","))
        chosen = list(dict.fromkeys([*form.areas, *filter(None, typed)]))
        known = {*await self._known_areas(visit), *before}
        unknown = [area for area in chosen if area not in known]
        if unknown:
            text = unknown_area(unknown[0], known)
            raise FormMistakes(areas=text, typed_areas=text)
        return chosen

    async def _person(self, pin: str) -> Any:
        found = await self._store.read(lambda tx: tx[PeopleStore].users(Page(1), pin))
        if not found:
            raise LookupError(NO_PERSON)
        return found[0]

    async def _form(
        self,
        visit: Visit,
        entry: FormEntry,
        title: Phrase,
        stored: Mapping[str, str],
        pin: str | None,
        chosen: Collection[str] = (),
        has_password: bool = False,
    ) -> View:
        areas = sorted({*await self._known_areas(visit), *chosen})
        are_ticked = len(areas) <= MOST_AREAS
        marked = areas if are_ticked else chosen
        return View(
            template="edit.html",
            title=title,
            values={
                "entry": entry,
                "stored": stored,
                "pin": pin,
                "has_password": has_password,
                "labels": PERSON_LABELS,
                "areas": areas if are_ticked else None,
                "chosen": sorted(chosen),
                "free_pin": await self._store.read(free_pin_thd) if pin is None else None,
                "areas_help": Phrase("The person belongs on the terminals of these areas."),
                "first_area": area_without_choice(visit.caller) if pin is None else None,
                "idle_areas": await self._store.read(
                    lambda tx: idle_areas_thd(tx, marked, visit.areas)
                ),
                "privileges": [
                    ("", Phrase("Not set")),
                    *((str(int(code)), Phrase(code.meaning)) for code in Privilege),
                ],
            },
        )


def _departed_view(visit: Visit, pin: str, departure: Departure, values: Mapping[str, Any]) -> View:
    is_erased = departure.is_erased
    return View(
        template="departed.html",
        title=departure.name or pin,
        status=HTTPStatus.GONE if is_erased else HTTPStatus.OK,
        values={
            "pin": pin,
            "departure": departure,
            **values,
            "may_take_off": visit.allows(Scope.WRITE) and bool(asked_again(values["deletions"])),
            "names_author": not is_erased or visit.allows(Scope.ADMIN),
            "may_erase": visit.allows(Scope.DANGEROUS)
            and visit.areas is None
            and (values["punches"] > 0 or not is_erased),
        },
    )


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of people."""
    return [
        *PeoplePages(services).routes(),
        *PeopleExportPages(services).routes(),
        *ConflictPages(services).routes(),
        *PunchPages(services).routes(),
        *RemovalPages(services).routes(),
        *LeaverPages(services).routes(),
        *RightsPages(services).routes(),
        *of_whole_site(ImportPages(services).routes(), IMPORT),
        *EnrolmentPages(services).routes(),
        *PortraitPages(services).routes(),
    ]
