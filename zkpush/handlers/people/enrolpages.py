"""Remote enrolment: choose a terminal and what to enrol, and watch it happen."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from ...manage.console.forms import NOT_POSSIBLE, FormEntry, FormMistakes
from ...manage.console.pages import (
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    LivePart,
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.terminalchoice import find_terminal_thd, terminal_options_thd
from ...manage.console.visits import Visit
from ...manage.limits import COMMAND, PERSON, TERMINAL, Belongs, Owner, check_thd, id_of
from ...manage.services import Services
from ...model import Caller, DeviceState, Page
from ...pathparts import path_part
from ...persist.commands import CommandStore
from ...persist.transaction import Transaction
from ...protocol.codes import BiometricType, EnrollFailure
from ...protocol.fields import Scope
from .contradictions import ConflictStore
from .enrolling import EnrolmentEndpoints, EnrolmentState, EnrolmentView, EnrolRequest
from .enrolment import FINGERS
from .showing import MOST_CONFLICTS, person_thd
from .store import PeopleStore

WAIT = 300
"""Seconds that an enrolment waits for its terminal."""
_FINGER_WORDS = (
    Phrase("Left little finger"),
    Phrase("Left ring finger"),
    Phrase("Left middle finger"),
    Phrase("Left index finger"),
    Phrase("Left thumb"),
    Phrase("Right thumb"),
    Phrase("Right index finger"),
    Phrase("Right middle finger"),
    Phrase("Right ring finger"),
    Phrase("Right little finger"),
)
WHAT = (
    ("face", Phrase("Face")),
    ("card", Phrase("Card")),
    ("palm", Phrase("Palm")),
    *zip(FINGERS, _FINGER_WORDS, strict=True),
)
"""What can be enrolled."""
STATES: Mapping[EnrolmentState, tuple[Phrase, str]] = {
    EnrolmentState.WAITING: (Phrase("The terminal has not fetched the order yet."), "calm"),
    EnrolmentState.ASKING: (Phrase("The terminal asks the person now."), "warn"),
    EnrolmentState.ENROLLED: (Phrase("Enrolled; the terminal sends it next."), "good"),
    EnrolmentState.RECEIVED: (Phrase("Enrolled and stored here."), "good"),
    EnrolmentState.FAILED: (Phrase("Not enrolled."), "bad"),
}

LATE = 300
"""Seconds after which a terminal should have sent what it has enrolled."""
NOT_SENT = Phrase("Enrolled at the terminal, which has not sent it for minutes.")
LET_IT_SEND = Phrase(
    "Let the terminal send its people again. If nothing comes, check in its menu that it sends "
    "what is enrolled, and enrol the person anew."
)
UNKNOWN_HERE = Phrase(
    "The terminal holds fingers under this user ID that the server does not know. Let the terminal "
    "send its people, or tick “Replace what is enrolled already”."
)
OF_ANOTHER = Phrase(
    "The terminal holds fingers under this user ID, and says something else about the person: they "
    "may be of another person. Settle the conflict first."
)
_CHOICES = ("device", "what", "overwrite")
"""Fields of the form that the next try keeps."""


def _is_there_already(found: EnrolmentView) -> bool:
    """Whether the terminal refused to enrol fingers because it holds some under the user ID."""
    command = found.command
    is_finger = command.command == "ENROLL_FP"
    return is_finger and command.return_code == EnrollFailure.ALREADY_ENROLLED


def _stored_thd(tx: Transaction, pin: str, sn: str) -> tuple[bool, bool]:
    """Return whether fingers of a person are stored, and whether the terminal contradicts."""
    people = tx[PeopleStore].users(Page(1), pin)
    is_stored = bool(people) and bool(people[0].templates.get(BiometricType.FINGERPRINT))
    found = tx[ConflictStore].page(Page(MOST_CONFLICTS), pin)
    return is_stored, any(one.device == sn for one in found)


class EnrolmentQuery(msgspec.Struct, frozen=True):
    """The enrolment to watch, and what was chosen for it, for the next try."""

    watch: str = ""
    device: str = ""
    what: str = ""
    overwrite: str = ""


def _watched_thd(tx: Transaction, names: Mapping[str, Any]) -> list[Owner]:
    enrolment, _, pin = id_of(names).partition("/")
    command = tx[CommandStore].get(enrolment)
    return [] if command is None else [Owner(TERMINAL, command.device), Owner(PERSON, pin)]


_WATCHED = Belongs(_watched_thd, "There is no enrolment {id}.")
"""The enrolment and the person that the argument of the live part names."""


class EnrolForm(msgspec.Struct, frozen=True):
    """An order to enrol."""

    device: str
    what: str
    overwrite: bool = False


class EnrolmentPages:
    """The form, and the progress."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._enrolments = EnrolmentEndpoints(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page, the form and the live part."""
        return [
            ConsolePage(
                path="/people/<pin>/enrol",
                title=Phrase("Enrol at a terminal"),
                scope=Scope.WRITE,
                run=self.show,
                query=EnrolmentQuery,
                limited=(PERSON,),
            ),
            ConsoleForm(
                path="/people/<pin>/enrol",
                fields=EnrolForm,
                run=self.enrol,
                again=self.again,
                limited=(PERSON,),
            ),
            LivePart(
                name="people-enrolment",
                run=self.part,
                kinds=("command", "user"),
                every=5.0,
                scope=Scope.WRITE,
                limited=(_WATCHED,),
            ),
        ]

    async def show(self, visit: Visit, pin: str, query: EnrolmentQuery) -> View:
        """Show the form, and the enrolment that is watched."""
        chosen = {name: [text] for name in _CHOICES if (text := getattr(query, name))}
        view = await self._view(visit, pin, FormEntry(chosen))
        if not query.watch:
            return view
        await self._check(visit, query.watch)
        values = {**view.values, **await self._progress(pin, query.watch, visit.caller)}
        live = f"people-enrolment:{query.watch}/{pin}"
        return View(
            template="enrol.html", title=view.title, values={**values, "live": live}, live=[live]
        )

    async def _check(self, visit: Visit, enrolment: str) -> None:
        """Raise `ApiError` (404) if the terminal is in no area of the account."""
        areas = visit.areas
        if areas is not None:
            names = {"id": enrolment}
            await self._store.read(lambda tx: check_thd(tx, (COMMAND,), names, areas))

    async def again(self, visit: Visit, pin: str, entry: FormEntry) -> View:
        """Show the form with its mistakes."""
        return await self._view(visit, pin, entry)

    async def enrol(self, visit: Visit, form: EnrolForm, pin: str) -> Redirect:
        """Queue the order."""
        try:
            sn = await self._store.read(lambda tx: find_terminal_thd(tx, form.device, visit.areas))
        except ValueError as error:
            raise FormMistakes(device=error.args[0]) from None
        if form.what not in dict(WHAT):
            raise FormMistakes(what=NOT_POSSIBLE)
        request = EnrolRequest(device=sn, what=form.what, overwrite=form.overwrite, expires_in=WAIT)
        queued = await self._enrolments.enrol(pin, request, visit.caller)
        chosen = {"device": form.device, "what": form.what}
        if form.overwrite:
            chosen["overwrite"] = "true"
        query = urlencode({"watch": queued.id, **chosen})
        return Redirect(to=f"/people/{path_part(pin)}/enrol?{query}")

    async def part(self, visit: Visit, argument: str | None) -> View:
        """Show the progress of an enrolment."""
        enrolment, _, pin = (argument or "").partition("/")
        return View(
            template="_enrolment.html", values=await self._progress(pin, enrolment, visit.caller)
        )

    async def _progress(self, pin: str, enrolment: str, caller: Caller) -> dict[str, Any]:
        found = await self._enrolments.show(pin, enrolment, caller)
        words, kind = STATES[found.state]
        hint, is_contested = None, False
        if found.state is EnrolmentState.ENROLLED and self._is_late(found.command.answered_at):
            words, kind, hint = NOT_SENT, "warn", LET_IT_SEND
        elif found.state is EnrolmentState.FAILED and _is_there_already(found):
            stored, is_contested = await self._store.read(
                lambda tx: _stored_thd(tx, pin, found.device)
            )
            hint = None if stored else OF_ANOTHER if is_contested else UNKNOWN_HERE
        return {
            "enrolment": found,
            "words": words,
            "kind": kind,
            "hint": hint,
            "is_contested": is_contested,
        }

    def _is_late(self, answered_at: str | None) -> bool:
        """Whether what a terminal has enrolled should have come by now."""
        if answered_at is None:
            return False
        answered = datetime.datetime.fromisoformat(answered_at).timestamp()
        return self._services.now() / 1000 - answered > LATE

    async def _view(self, visit: Visit, pin: str, entry: FormEntry) -> View:
        def find_thd(tx: Transaction) -> dict[str, Any]:
            person = person_thd(tx, pin, visit.caller)["person"]
            terminals = terminal_options_thd(tx, DeviceState.APPROVED, visit.areas)
            return {"pin": pin, "person": person, "terminals": terminals}

        values = await self._store.read(find_thd)
        return View(
            template="enrol.html",
            title=Phrase("Enrol at a terminal"),
            values={**values, "entry": entry, "what": WHAT, "live": None},
        )
