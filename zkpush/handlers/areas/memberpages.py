"""Forms of an area's page that put terminals and people into it, and take them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from ...device import acts
from ...device.administration import TerminalAdministration
from ...folding import fold
from ...manage.console.forms import FormMistakes
from ...manage.console.pages import Again, ConfirmationQuestion, ConsoleForm, ConsoleRoute, Redirect
from ...manage.console.phrases import Phrase, counted_phrase
from ...manage.console.terminalchoice import find_terminal_thd, unknown_terminal_thd
from ...manage.console.visits import Visit
from ...manage.limits import AREA_OF_PAGE
from ...manage.services import Services
from ...model import DEFAULT_AREA, Device, Page
from ...persist.audit import AuditStore
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import listed_phrases
from ..people.model import PeopleFilter
from ..people.store import PeopleStore, PersonStore, unknown_person_thd
from .areapages import back_to
from .areaviews import area_thd
from .arrivals import arrival_question_thd
from .model import Area
from .store import AreaStore

PUT_PERSON, TAKE_PERSON = "put person into area", "take person out of area"
MOST_PEOPLE = 100
"""Maximum number of people who are put into an area at once."""
MOST_NAMED = 5
"""Maximum number of people that a mistake names."""
OUT_OF_AREAS = Phrase(
    "Your account is limited to areas, and the terminal would be in none of them. Ask somebody "
    "whose account has no limit."
)
_BACK = "/areas/<area>"
R = TypeVar("R")


class TerminalChoiceForm(msgspec.Struct, frozen=True):
    """A terminal to put into an area."""

    sn: Annotated[str, Meta(max_length=200)]


class TerminalMemberForm(msgspec.Struct, frozen=True):
    """A terminal to take out of an area."""

    terminal: Annotated[str, Meta(max_length=200)]


class PeopleChoiceForm(msgspec.Struct, frozen=True):
    """People to put into an area: user IDs or names, with commas between them."""

    people: Annotated[str, Meta(max_length=5000)]


class PersonMemberForm(msgspec.Struct, frozen=True):
    """A person to take out of an area."""

    pin: Annotated[str, Meta(max_length=200)]


class MemberPages:
    """The members of an area."""

    def __init__(self, services: Services, show: Again) -> None:
        """`show` is the page of an area."""
        self._services = services
        self._store = services.store
        self._terminals = TerminalAdministration(services.store, services.registry)
        self._show = show

    def routes(self) -> list[ConsoleRoute]:
        """Return the forms."""

        def form(
            word: str, fields: type[msgspec.Struct], run: Any, question: Any = None
        ) -> ConsoleForm:
            return ConsoleForm(
                path=f"/areas/<area>/{word}",
                fields=fields,
                run=run,
                again=self._show,
                question=question,
                limited=(AREA_OF_PAGE,),
            )

        return [
            form("terminals", TerminalChoiceForm, self.put_terminal, self.ask_put_terminal),
            form("terminals/out", TerminalMemberForm, self.take_terminal, self.ask_take_terminal),
            form("people", PeopleChoiceForm, self.put_people),
            form("people/out", PersonMemberForm, self.take_person, self.ask_take_person),
        ]

    async def ask_put_terminal(
        self, visit: Visit, form: TerminalChoiceForm, area: str
    ) -> ConfirmationQuestion | None:
        """Ask whether a terminal is to leave its area, and say what happens to its people."""
        return await self._read(
            lambda tx: arrival_question_thd(tx, *_chosen_thd(tx, visit, form, area), _BACK)
        )

    async def put_terminal(self, visit: Visit, form: TerminalChoiceForm, area: str) -> Redirect:
        """Put a terminal into the area, out of its former one."""
        device, _ = await self._read(lambda tx: _chosen_thd(tx, visit, form, area))
        device = await self._terminals.change(device.sn, {"area": area}, visit.caller)
        name = device.alias or device.sn
        return back_to(area, Phrase("%(name)s is in this area now.", name=name))

    async def _read(self, find_thd: Callable[[Transaction], R]) -> R:
        """Read what a choice of a terminal means; `FormMistakes` if it chooses none."""
        try:
            return await self._store.read(find_thd)
        except ValueError as error:
            raise FormMistakes(sn=error.args[0]) from None

    async def ask_take_terminal(
        self, visit: Visit, form: TerminalMemberForm, area: str
    ) -> ConfirmationQuestion:
        """Ask whether a terminal is to go to the default area, and say what follows."""
        _check_default(visit)

        def find_thd(tx: Transaction) -> tuple[str, bool]:
            device = _member_thd(tx, form.terminal, area)
            return device.alias or device.sn, DEFAULT_AREA in tx[AreaStore].distributing()

        name, distributes = await self._store.read(find_thd)
        text = (
            Phrase(
                "%(name)s goes to the area %(default)s, which keeps its people on its terminals: "
                "people who are not in that area are deleted from the terminal.",
                name=name,
                default=DEFAULT_AREA,
            )
            if distributes
            else Phrase(
                "%(name)s goes to the area %(default)s. People stay on it, and changes of this "
                "area are not sent to it any more.",
                name=name,
                default=DEFAULT_AREA,
            )
        )
        return ConfirmationQuestion(
            title=Phrase("Take this terminal out of the area?"),
            text=text,
            button=Phrase("Take it out"),
            back=_BACK,
        )

    async def take_terminal(self, visit: Visit, form: TerminalMemberForm, area: str) -> Redirect:
        """Put a terminal into the default area."""
        _check_default(visit)
        device = await self._store.read(lambda tx: _member_thd(tx, form.terminal, area))
        await self._terminals.change(device.sn, {"area": None}, visit.caller)
        name = device.alias or device.sn
        return back_to(area, Phrase("%(name)s is not in this area any more.", name=name))

    async def put_people(self, visit: Visit, form: PeopleChoiceForm, area: str) -> Redirect:
        """Put people into the area; they stay in their other ones."""
        by, now = visit.caller, self._services.now()

        def unit(tx: Transaction) -> int:
            area_thd(tx, area)
            people = tx[PersonStore]
            pins = _people_thd(tx, form.people, visit.areas)
            areas = people.areas(pins)
            new = [pin for pin in pins if area not in areas.get(pin, ())]
            for pin in new:
                people.put_areas(pin, [*areas.get(pin, ()), area], by.actor, now)
                acts.record(tx, by, PUT_PERSON, tx[AuditStore].person(pin), area, now)
            return len(new)

        try:
            count = await self._store.write(unit)
        except ValueError as error:
            raise FormMistakes(people=error.args[0]) from None
        done = counted_phrase("%(num)s person was added.", "%(num)s people were added.", count)
        return back_to(area, done)

    async def ask_take_person(
        self, visit: Visit, form: PersonMemberForm, area: str
    ) -> ConfirmationQuestion | None:
        """Ask whether a person is to be deleted from terminals, where the area does that."""

        def find_thd(tx: Transaction) -> tuple[str, bool]:
            name = tx[PeopleStore].names([form.pin], visit.areas).get(form.pin) or form.pin
            return name, area_thd(tx, area).distributes

        name, distributes = await self._store.read(find_thd)
        if not distributes:
            return None
        return ConfirmationQuestion(
            title=Phrase("Take this person out of the area?"),
            text=Phrase(
                "%(name)s is deleted from the terminals of this area, and stays stored here.",
                name=name,
            ),
            button=Phrase("Take the person out"),
            back=_BACK,
        )

    async def take_person(self, visit: Visit, form: PersonMemberForm, area: str) -> Redirect:
        """Take a person out of the area; the person stays stored."""
        pin, by, now = form.pin, visit.caller, self._services.now()

        def unit(tx: Transaction) -> str:
            area_thd(tx, area)
            people = tx[PersonStore]
            before = people.areas([pin]).get(pin, [])
            if area not in before:
                raise LookupError(Phrase("This person is not in this area."))
            people.put_areas(pin, [one for one in before if one != area], by.actor, now)
            acts.record(tx, by, TAKE_PERSON, tx[AuditStore].person(pin), area, now)
            return tx[PeopleStore].names([pin]).get(pin) or pin

        name = await self._store.write(unit)
        return back_to(area, Phrase("%(name)s is not in this area any more.", name=name))


def _chosen_thd(
    tx: Transaction, visit: Visit, form: TerminalChoiceForm, area: str
) -> tuple[Device, Area]:
    """Return the chosen terminal and the area; `ValueError` if the choice is none."""
    found = area_thd(tx, area)
    device = tx[DeviceStore].find(find_terminal_thd(tx, form.sn, visit.areas))
    if device is None:
        raise ValueError(unknown_terminal_thd(tx, form.sn, visit.areas))
    return device, found


def _member_thd(tx: Transaction, sn: str, area: str) -> Device:
    """Find a terminal of an area other than the default one, which all others belong to."""
    device = tx[DeviceStore].find(sn)
    if device is None or area == DEFAULT_AREA or device.area != area:
        raise LookupError(Phrase("This terminal is not in this area."))
    return device


def _check_default(visit: Visit) -> None:
    """Refuse a limited account that would move a terminal out of its areas."""
    if visit.areas is not None and DEFAULT_AREA not in visit.areas:
        raise FormMistakes(OUT_OF_AREAS)


def _people_thd(tx: Transaction, text: str, areas: frozenset[str] | None) -> list[str]:
    """Return user IDs of people by user ID or name; `ValueError` names the first unknown one.

    `areas` are those of a limited account.
    """
    given = [part for one in text.split(",") if (part := one.strip())]
    if len(given) > MOST_PEOPLE:
        raise ValueError(
            counted_phrase(
                "Write at most %(num)s person at once.",
                "Write at most %(num)s people at once.",
                MOST_PEOPLE,
            )
        )
    store = tx[PeopleStore]
    pins: dict[str, None] = {}
    for one in given:
        if store.users(Page(1, areas=areas), one):
            pins[one] = None
            continue
        found = store.search(Page(MOST_NAMED, areas=areas), PeopleFilter(text=one))
        exact = [each for each in found if fold(each.name or "") == fold(one)]
        found = exact or found
        if not found:
            raise ValueError(unknown_person_thd(tx, one, areas))
        if len(found) > 1:
            names = listed_phrases([f"{each.name or each.pin} ({each.pin})" for each in found])
            raise ValueError(
                Phrase(
                    "Several people are found for %(given)s, such as %(names)s. Write the user ID.",
                    given=one,
                    names=names,
                )
            )
        pins[found[0].pin] = None
    return [*pins]
