"""The form that sends one person to terminals."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...manage.console.forms import FormMistakes
from ...manage.console.pages import Again, ConfirmationQuestion, ConsoleForm, ConsoleRoute, Redirect
from ...manage.console.phrases import Phrase, counted_phrase
from ...manage.console.terminalchoice import MOST_OPTIONS, TypedSerials, typed_terminals_thd
from ...manage.console.visits import Visit
from ...manage.limits import PERSON
from ...manage.services import Services
from ...manage.targets import TargetRequest
from ...pathparts import path_part
from ...persist.devices import DeviceStore
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...phrases import sentences
from ..people.store import PeopleStore
from .reasons import PLACE_REASONS
from .sending import PersonSending, SendOutcome, choice_thd, powers_thd

NO_TARGET = Phrase("Choose a terminal.")
NOBODY = Phrase("There is no such person.")
_NOTHING = Phrase("Nothing of the person fits on the terminal.")
_Text = Annotated[str, Meta(max_length=200)]


class PersonSendForm(msgspec.Struct, frozen=True):
    """The terminals that a person is sent to."""

    device: list[_Text] = []
    """Serial numbers of the ticked terminals."""
    terminals: TypedSerials = ""
    """Names or serial numbers, where the terminals are too many for a list."""
    all: bool = False
    """All terminals that the page offers, from the button that takes these."""


def sending_thd(tx: Transaction, visit: Visit, pin: str) -> dict[str, Any]:
    """Return what the form shows: the terminals to choose from, by name, or their number."""
    choice = choice_thd(tx, pin, visit.areas)
    if choice is None:
        return {"is_sendable": False}
    is_listed = len(choice.keys) <= MOST_OPTIONS
    devices = tx[DeviceStore].with_keys(choice.keys) if is_listed else []
    return {
        "is_sendable": True,
        "targets": sorted(devices, key=lambda one: ((one.alias or one.sn).casefold(), one.sn)),
        "number": len(choice.keys),
        "closed": choice.closed,
    }


class SendingPages:
    """Sends a person to terminals."""

    def __init__(self, services: Services, show: Again) -> None:
        """`show` is the page of the terminals of a person."""
        self._services = services
        self._store = services.store
        self._sending = PersonSending(services.store)
        self._show = show

    def routes(self) -> list[ConsoleRoute]:
        """Return the form."""
        return [
            ConsoleForm(
                path="/people/<pin>/send",
                fields=PersonSendForm,
                run=self.send,
                again=self._show,
                question=self.ask,
                limited=(PERSON,),
            )
        ]

    async def ask(
        self, visit: Visit, form: PersonSendForm, pin: str
    ) -> ConfirmationQuestion | None:
        """Ask before rights or a password come to further terminals."""
        chosen = await self._chosen(visit, form, pin)
        powers = await self._store.read(lambda tx: powers_thd(tx, pin))
        if not (powers.has_rights or powers.has_password):
            return None
        name = await self._store.read(lambda tx: tx[PeopleStore].names([pin]).get(pin) or pin)
        said = [
            counted_phrase(
                "%(name)s is sent to %(num)s terminal.",
                "%(name)s is sent to %(num)s terminals.",
                len(chosen),
                name=name,
            )
        ]
        if powers.has_rights:
            said.append(
                Phrase(
                    "The person has rights, and can change people and settings at these terminals."
                )
            )
        if powers.has_password:
            said.append(Phrase("The person has a password, which opens at these terminals."))
        return ConfirmationQuestion(
            title=Phrase("Send this person to the terminals?"),
            text=sentences(said),
            button=Phrase("Send the person"),
            back="/people/<pin>/places",
            keeps_entry=True,
        )

    async def send(self, visit: Visit, form: PersonSendForm, pin: str) -> Redirect:
        """Send the person; the page shows how far that is at each terminal."""
        chosen = await self._chosen(visit, form, pin)
        now = self._services.now()
        targets = TargetRequest(devices=chosen)
        found = await self._sending.send(pin, targets, visit.caller, now, dry_run=False)
        sent = sum(one.is_sent for one in found)
        if not sent:
            kept_out = [one for one in found if not one.is_there]
            if kept_out:
                raise FormMistakes(_reason(kept_out[0]))
            notice = Phrase("The terminals have the person already.")
        else:
            notice = counted_phrase(
                "The person is sent to %(num)s terminal.",
                "The person is sent to %(num)s terminals.",
                sent,
            )
        refused = [one.refusal for one in found if one.refusal is not None]
        said = sentences([notice, *refused[:1]])
        return Redirect(to=f"/people/{path_part(pin)}/places", notice=said)

    async def _chosen(self, visit: Visit, form: PersonSendForm, pin: str) -> list[str]:
        """Return the serial numbers of the chosen terminals; `FormMistakes` if there are none."""

        def find_thd(tx: Transaction) -> list[str]:
            if form.all:
                choice = choice_thd(tx, pin, visit.areas)
                if choice is None:
                    raise LookupError(NOBODY)
                return sorted(one.sn for one in tx[DeviceStore].with_keys(choice.keys))
            known = tx[TargetStore].named(form.device, visit.areas)
            for sn in form.device:
                if sn not in known:
                    raise LookupError(Phrase("There is no terminal %(sn)s.", sn=sn))
            return [*form.device, *typed_terminals_thd(tx, form.terminals, visit.areas)]

        try:
            chosen = await self._store.read(find_thd)
        except ValueError as error:
            raise FormMistakes(terminals=error.args[0]) from None
        if not chosen:
            raise FormMistakes(NO_TARGET)
        return chosen


def _reason(outcome: SendOutcome) -> str:
    """Say why nothing is sent to a terminal."""
    if outcome.refusal is not None:
        return outcome.refusal
    reasons = [one.reason for one in outcome.found.misfits if one.reason]
    return PLACE_REASONS.phrase(reasons[0]) if reasons else _NOTHING
