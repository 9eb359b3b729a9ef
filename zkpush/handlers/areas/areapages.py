"""Pages of areas: the list, and one area with its members and its distribution."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec

from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    LivePart,
    NameSearch,
    NavGroup,
    NavPlace,
    Redirect,
    View,
    of_whole_site,
)
from ...manage.console.phrases import Phrase
from ...manage.console.terminalchoice import terminal_options_thd
from ...manage.console.visits import Visit
from ...manage.errors import ApiError, NotConfirmed
from ...manage.limits import AREA_OF_PAGE
from ...manage.services import Services
from ...model import DEFAULT_AREA, Page
from ...pathparts import path_part
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...protocol.suggestions import similar_names
from ..people.model import PeopleFilter, check_area
from ..people.store import PeopleStore, PersonSurvey
from .areaforms import FIRST, AreaButton, AreaForm, AreaSearch, DeletionsForm, NewAreaForm
from .areaviews import NO_AREA, area_thd, progress_thd, terminals_thd
from .beginning import affected_thd, beginning_question
from .confirming import area_terminals, effect_of, unfetched_thd
from .distributionview import DistributionView
from .drifting import area_drift_thd
from .endpoints import AreaChange, AreaEndpoints, AreaQuery
from .model import Area, PlacedPart
from .placepages import STATES, parts_in_words
from .places import PlaceStore
from .reasons import PLACE_REASONS
from .store import AreaStore

PER_PAGE = 50
"""Areas, and terminals of an area, on a page."""
MOST_PEOPLE = 30
"""People of an area that its page names."""
MOST_TROUBLED = 30
"""Refused and unfitting parts that are shown."""
MOST_TERMINALS = 30
"""Terminals whose progress is shown."""
EVERY = 5.0
"""Seconds after which the progress is looked at again."""
WRONG_NAME = Phrase("Use 1 to 100 printable characters, without spaces at the ends.")
CHANGED = Phrase("The number of deletions has changed meanwhile. Look at it again.")
NEW_AREA = Phrase(
    "Your account is limited to areas, and a new area would be none of them. Ask somebody whose "
    "account has no limit."
)
END_OF_AREA = Phrase(
    "Your account is limited to areas, and cannot delete them. Ask somebody whose account has no "
    "limit."
)


class AreaPages:
    """The list, and one area."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._areas = AreaEndpoints(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages, forms and the live part."""
        one = "/areas/<area>"

        def form(word: str, fields: type[msgspec.Struct], run: Any, question: Any) -> ConsoleForm:
            return ConsoleForm(
                path=f"{one}/{word}",
                fields=fields,
                run=run,
                again=self.show,
                question=question,
                limited=(AREA_OF_PAGE,),
            )

        return [
            ConsolePage(
                path="/areas",
                title=Phrase("Areas"),
                run=self.list,
                query=AreaSearch,
                nav=NavPlace(NavGroup.SITE, 10, "area"),
                limited=(),
            ),
            *of_whole_site(
                [ConsoleForm(path="/areas", fields=NewAreaForm, run=self.add, again=self.list)],
                NEW_AREA,
            ),
            ConsolePage(
                path=one,
                title=Phrase("Area"),
                run=self.show,
                query=AreaSearch,
                limited=(AREA_OF_PAGE,),
            ),
            NameSearch(
                variable="area",
                path="/areas",
                field=None,
                label=Phrase("Area"),
                title=Phrase("All areas"),
                similar=self.similar,
            ),
            LivePart(
                name="areas-progress",
                run=self.progress_part,
                kinds=("command",),
                every=EVERY,
                limited=(AREA_OF_PAGE,),
            ),
            ConsoleForm(
                path=one,
                fields=AreaForm,
                run=self.describe,
                again=self.show,
                limited=(AREA_OF_PAGE,),
            ),
            form("distribute", DeletionsForm, self.distribute, self.ask_distribute),
            form("stop", AreaButton, self.stop, STOP),
            form("confirm", DeletionsForm, self.confirm, self.ask_confirm),
            form("repair", AreaButton, self.repair, None),
            *of_whole_site([form("delete", AreaButton, self.delete, DELETE)], END_OF_AREA),
        ]

    async def list(
        self, visit: Visit, query: AreaSearch = FIRST, entry: FormEntry = NOTHING_ENTERED
    ) -> View:
        """List areas, with the progress of those that distribute."""

        def find_thd(tx: Transaction) -> list[tuple[Area, int, int]]:
            part = Page(PER_PAGE + 1, query.after, areas=visit.areas)
            return [(one, *progress_thd(tx, one)) for one in tx[AreaStore].page(part)]

        found = await self._store.read(find_thd)
        shown = found[:PER_PAGE]
        more = {"after": shown[-1][0].place} if len(found) > PER_PAGE else None
        return View(
            template="areas.html",
            title=Phrase("Areas"),
            values={
                "areas": shown,
                "entry": entry,
                "next_query": None if more is None else urlencode(more),
                "first_query": "" if query.after else None,
            },
        )

    async def similar(self, visit: Visit, text: str) -> Sequence[tuple[str, str]] | None:
        """Return paths and names of areas that may be meant; None for one that is there."""
        names = {one.name for one in await self._store.read(lambda tx: tx[AreaStore].all())}
        seen = names if visit.areas is None else names & visit.areas
        if text in seen:
            return None
        return [(f"/areas/{path_part(name)}", name) for name in similar_names(text, sorted(seen))]

    async def add(self, visit: Visit, form: NewAreaForm) -> Redirect:
        """Describe an area, which exists from then on."""
        try:
            check_area(form.name)
        except ValueError:
            raise FormMistakes(name=WRONG_NAME) from None
        await self._areas.put(
            form.name, AreaChange(description=form.description), AreaQuery(), visit.caller
        )
        return back_to(form.name, Phrase("Saved."))

    async def show(
        self,
        visit: Visit,
        area: str,
        query: AreaSearch = FIRST,
        entry: FormEntry = NOTHING_ENTERED,
    ) -> View:
        """Show an area."""
        shown = await self._distribution(visit, area)

        def find_thd(tx: Transaction) -> dict[str, Any]:
            found = area_thd(tx, area)
            keys = [key for key in sorted(area_terminals(tx, area)) if key > query.after]
            page = keys[:PER_PAGE]
            people = tx[PeopleStore].in_order(MOST_PEOPLE, PeopleFilter(area=area))
            return {
                "one": found,
                "may_take_out": area != DEFAULT_AREA
                and (visit.areas is None or DEFAULT_AREA in visit.areas),
                "terminals": sorted(tx[DeviceStore].with_keys(page), key=lambda each: each.id),
                "drift": area_drift_thd(tx, area),
                "choice": terminal_options_thd(tx, areas=visit.areas),
                "people": [(one.pin, one.name) for one in people],
                "next_query": urlencode({"after": page[-1]}) if len(keys) > PER_PAGE else None,
            }

        values = await self._store.read(find_thd)
        return View(
            template="area.html",
            title=area,
            live=[f"areas-progress:{area}"],
            values={
                **values,
                **await self._progress(visit, area, shown),
                "entry": entry,
                "first_query": "" if query.after else None,
                "most_people": MOST_PEOPLE,
                "states": STATES,
            },
        )

    async def progress_part(self, visit: Visit, argument: str | None) -> View:
        """Show how far the distribution of an area is."""
        area = argument or ""
        values = await self._progress(visit, area, await self._distribution(visit, area))
        return View(template="_progress.html", values={**values, "states": STATES})

    async def _distribution(self, visit: Visit, area: str) -> DistributionView:
        try:
            return await self._areas.distribution(area, visit.caller)
        except ApiError as error:
            if error.status is HTTPStatus.NOT_FOUND:
                raise LookupError(NO_AREA) from None
            raise

    async def _progress(self, visit: Visit, area: str, shown: DistributionView) -> dict[str, Any]:
        def find_thd(tx: Transaction) -> dict[str, Any]:
            keys = area_terminals(tx, area)
            store = tx[PlaceStore]
            troubled = store.troubled(MOST_TROUBLED, keys, visit.areas)
            serials = {one.id: one for one in tx[DeviceStore].with_keys(_keys(troubled))}
            pins = {one.pin for one in troubled}
            names = tx[PeopleStore].names(pins)
            found = area_thd(tx, area)
            progress = terminals_thd(tx, keys, MOST_TERMINALS) if found.distributes else []
            return {
                "area": found,
                "missing": sum(unfetched_thd(tx, keys).values()),
                "progress": progress,
                "more_progress": len(keys) - len(progress) if progress else 0,
                "is_held_back": any(store.is_held_back(key) for key in keys),
                "conflicts": tx[PersonSurvey].contradictions(pins),
                "open_conflicts": tx[PersonSurvey].open_conflicts(keys),
                "troubled": [
                    (
                        _said(one),
                        serials[one.device_id],
                        names.get(one.pin),
                        *STATES[one.state.value],
                    )
                    for one in troubled
                ],
            }

        parts = msgspec.structs.asdict(shown.parts)
        minutes = None if shown.seconds_left is None else -(-shown.seconds_left // 60)
        return {
            **await self._store.read(find_thd),
            "effect": shown,
            "counts": [
                (parts_in_words(name, number), number) for name, number in parts.items() if number
            ],
            "total": sum(parts.values()),
            "minutes": minutes,
        }

    # Changes.

    async def describe(self, visit: Visit, form: AreaForm, area: str) -> Redirect:
        """Change the description."""
        await self._distribution(visit, area)
        change = AreaChange(description=form.description)
        await self._areas.put(area, change, AreaQuery(), visit.caller)
        return back_to(area, Phrase("Saved."))

    async def ask_distribute(
        self, visit: Visit, form: DeletionsForm, area: str
    ) -> ConfirmationQuestion:
        """Ask whether the people of the area are to be put on its terminals."""
        await self._agreed(visit, form, area)

        def find_thd(tx: Transaction) -> ConfirmationQuestion:
            found = area_thd(tx, area)
            affected = affected_thd(tx, found, visit.areas)
            return beginning_question(area, effect_of(tx, found), affected)

        return await self._store.read(find_thd)

    async def distribute(self, visit: Visit, form: DeletionsForm, area: str) -> Redirect:
        """Let the area distribute."""
        await self._agreed(visit, form, area)
        await self._put(visit, area, AreaChange(distributes=True), form.deletions)
        return back_to(area, Phrase("The server puts the people of this area on its terminals."))

    async def stop(self, visit: Visit, form: AreaButton, area: str) -> Redirect:
        """Let the area distribute no longer."""
        await self._distribution(visit, area)
        await self._put(visit, area, AreaChange(distributes=False), None)
        return back_to(area, Phrase("It is off. People stay where they are."))

    async def ask_confirm(
        self, visit: Visit, form: DeletionsForm, area: str
    ) -> ConfirmationQuestion:
        """Ask whether many people are to be deleted."""
        await self._agreed(visit, form, area)
        return ConfirmationQuestion(
            title=Phrase("Delete people from terminals?"),
            text=Phrase(
                "People who are not in the area any more and are deleted from its terminals: "
                "%(num)s.",
                num=form.deletions,
            ),
            button=Phrase("Delete them there"),
            back="/areas/<area>",
        )

    async def confirm(self, visit: Visit, form: DeletionsForm, area: str) -> Redirect:
        """Confirm deletions that wait."""
        await self._agreed(visit, form, area)
        await self._put(visit, area, AreaChange(), form.deletions)
        return back_to(area, Phrase("They are deleted from the terminals."))

    async def repair(self, visit: Visit, form: AreaButton, area: str) -> Redirect:
        """Compare all terminals, and send again what was refused or not answered."""
        await self._distribution(visit, area)
        await self._areas.repair(area, visit.caller)
        return back_to(area, Phrase("All terminals are compared; what is missing is sent again."))

    async def delete(self, visit: Visit, form: AreaButton, area: str) -> Redirect:
        """Delete an area without terminals."""
        found = await self._store.read(lambda tx: area_thd(tx, area))
        if found.devices:
            raise FormMistakes(Phrase("Put its terminals into other areas first."))
        await self._areas.remove(area, visit.caller)
        return Redirect(to="/areas", notice=Phrase("The area is deleted. Its people stay."))

    async def _agreed(self, visit: Visit, form: DeletionsForm, area: str) -> DistributionView:
        """Return the effect; `FormMistakes` if the number differs from what the page said."""
        shown = await self._distribution(visit, area)
        if shown.deletions != form.deletions:
            raise FormMistakes(CHANGED)
        return shown

    async def _put(
        self, visit: Visit, area: str, change: AreaChange, deletions: int | None
    ) -> None:
        try:
            await self._areas.put(area, change, AreaQuery(deletions), visit.caller)
        except NotConfirmed:
            raise FormMistakes(CHANGED) from None


STOP = ConfirmationQuestion(
    title=Phrase("Switch it off for this area?"),
    text=Phrase(
        "People stay where they are. Changes and new people are not sent to its terminals any more."
    ),
    button=Phrase("Switch it off"),
    back="/areas/<area>",
)
DELETE = ConfirmationQuestion(
    title=Phrase("Delete this area?"),
    text=Phrase("Its people stay, without this area."),
    button=Phrase("Delete"),
    back="/areas/<area>",
)


def _said(part: PlacedPart) -> PlacedPart:
    """Return a part with its reason in words that can be translated."""
    return msgspec.structs.replace(part, reason=PLACE_REASONS.phrase(part.reason or ""))


def _keys(parts: list[PlacedPart]) -> set[int]:
    return {one.device_id for one in parts}


def back_to(area: str, notice: Phrase) -> Redirect:
    """Return to the page of an area."""
    return Redirect(to=f"/areas/{path_part(area)}", notice=notice)
