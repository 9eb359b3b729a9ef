"""API of enrolments: ask a person to enrol at a terminal, and watch it happen."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta

from ...commandreasons import COMMAND_REASONS
from ...device.modes import REFUSAL, takes_commands
from ...device.queueing import Delivery
from ...endings import end_phrase
from ...manage.commandviews import CommandView, command_view, note_commands
from ...manage.errors import ApiError, not_found
from ...manage.limits import COMMAND, PERSON, TERMINAL, Owner, require_thd
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant, instant_or_none
from ...model import Caller, Device, DeviceState, Page
from ...persist.commands import CommandStore
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, words_of
from ...protocol.codes import BiometricType
from ...protocol.fields import Scope
from ...values.commands import OPEN_STATES, CommandState, QueuedCommand
from .contradictions import ConflictStore
from .enrolment import WORDS, Enrolment
from .model import EnrolledTemplate, PutPerson
from .persons import PersonStore
from .store import PeopleStore

MOST_WAIT = 24 * 3600
"""Longest time that an enrolment may wait for its terminal, in seconds."""
_COMMANDS = ("ENROLL_FP", "ENROLL_MF", "ENROLL_BIO")


class EnrolRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An enrolment at a terminal."""

    device: Annotated[str, Meta(description="Serial number of the terminal")]
    what: Annotated[str, Meta(description=f"What to enrol: {WORDS}")]
    overwrite: Annotated[
        bool, Meta(description="Replace what is enrolled already; otherwise that is an error")
    ] = False
    expires_in: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_WAIT)] | None,
        Meta(description="Seconds that it may wait for the terminal; by default one minute"),
    ] = None


class EnrolmentState(StrEnum):
    """Progress of an enrolment."""

    WAITING = "waiting"
    """The terminal has not fetched the command."""
    ASKING = "asking"
    """The terminal asks the person."""
    ENROLLED = "enrolled"
    """The terminal reported success; what it enrolled has not arrived."""
    RECEIVED = "received"
    """What was enrolled has arrived."""
    FAILED = "failed"
    """The terminal refused, or did not answer in time."""


class EnrolledView(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal has enrolled."""

    type: Annotated[int | None, Meta(description="Biometric type; null for a card")]
    type_meaning: str
    number: int | None
    index: int | None
    major_version: int | None
    updated_at: str


class EnrolmentView(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolment at a terminal."""

    id: Annotated[str, Meta(description="ID of its command; watch `users/{pin}/enrol/{id}`")]
    pin: str
    device: str
    what: str
    state: EnrolmentState
    meaning: Annotated[str, Meta(description="The state in words")]
    over: Annotated[bool, Meta(description="Whether it has failed, or all has arrived")]
    templates: Annotated[list[EnrolledView], Meta(description="What has arrived since")]
    conflict: Annotated[
        int | None,
        Meta(description="Conflict about the enrolled card, if another card is stored"),
    ]
    command: CommandView


class EnrolmentEndpoints:
    """Handlers of the routes of enrolments."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "POST",
                "/users/<pin>/enrol",
                Scope.WRITE,
                self.enrol,
                "Ask a person to enrol at a terminal; a person whom it lacks is sent first",
                body=EnrolRequest,
                returns=EnrolmentView,
                status=HTTPStatus.ACCEPTED,
                takes=("caller",),
                limited=(PERSON,),
            ),
            Route(
                "GET",
                "/users/<pin>/enrol/<id>",
                Scope.READ,
                self.show,
                "Progress of an enrolment, and what has arrived",
                returns=EnrolmentView,
                takes=("caller",),
                limited=(PERSON, COMMAND),
            ),
        ]

    async def enrol(self, pin: str, body: EnrolRequest, caller: Caller) -> EnrolmentView:
        """Queue an enrolment."""
        wanted = Enrolment.parse(body.what)
        services, now = self._services, self._services.now()

        def unit(tx: Transaction) -> list[QueuedCommand]:
            require_thd(tx, caller, Owner(TERMINAL, body.device))
            device = tx[DeviceStore].find(body.device)
            if device is None:
                raise LookupError(
                    Phrase("There is no terminal %(device)s.", device=body.device[:40])
                )
            _check_ready(device)
            people = tx[PeopleStore].users(Page(1), pin)
            if not people:
                raise LookupError(
                    Phrase(
                        "There is no user %(pin)s. Add the person first: `zkpush users put "
                        "%(pin)s name=NAME`.",
                        pin=pin,
                    )
                )
            intent = wanted.intent(device, pin, overwrite=body.overwrite)
            queued = []
            if device.sn not in tx[PersonStore].holders(pin):
                queued = services.queue.ask_thd(tx, device, PutPerson(people[0]), caller, now)
            delivery = Delivery(expires_in=body.expires_in)
            return [*queued, *services.queue.ask_thd(tx, device, intent, caller, now, delivery)]

        queued = await self._store.write(unit)
        for command in queued:
            services.queue.hurry(command.device, command.not_before_at)
        return await self.show(pin, queued[-1].id, caller)

    async def show(self, pin: str, id: str, caller: Caller) -> EnrolmentView:
        """Show the progress of an enrolment."""

        def find(
            tx: Transaction,
        ) -> tuple[QueuedCommand, Device, Sequence[EnrolledTemplate], int | None]:
            command = tx[CommandStore].get(id)
            if command is None or command.command not in _COMMANDS or _pin_of(command) != pin:
                raise LookupError(Phrase("User %(pin)s has no enrolment %(id)s.", pin=pin, id=id))
            device = tx[DeviceStore].find(command.device)
            if device is None:
                raise LookupError(Phrase("There is no terminal %(device)s.", device=command.device))
            since = command.sent_at
            type_, number = _place_of(command)
            if since is None:
                return command, device, (), None
            if type_ is not None:
                found = tx[PeopleStore].enrolled(device.id, pin, type_, number, since)
                return command, device, found, None
            found = tx[PeopleStore].card_since(device.id, pin, since)
            is_done = command.state is CommandState.DONE
            conflict = tx[ConflictStore].about(device.id, pin, "card") if is_done else None
            return command, device, found, conflict

        try:
            command, device, found, conflict = await self._store.read(find)
        except LookupError as error:
            raise not_found(words_of(error)) from None
        services = self._services
        await note_commands(
            services.secret_access, services.catalogue, caller, f"command {id}", [command]
        )
        type_, number = _place_of(command)
        state = _state_of(command, has_arrived=bool(found) or conflict is not None)
        view = command_view(services.catalogue, services.registry.families, command, caller.scopes)
        is_online = services.registry.is_online(device)
        return EnrolmentView(
            id=command.id,
            pin=pin,
            device=device.sn,
            what=Enrolment.of(type_, number or 0).words,
            state=state,
            meaning=_words(command, state, view.meaning, is_online=is_online, conflict=conflict),
            over=state in (EnrolmentState.RECEIVED, EnrolmentState.FAILED),
            templates=[_enrolled_view(one) for one in found],
            conflict=conflict,
            command=view,
        )


def _check_ready(device: Device) -> None:
    """Raise 409 for a terminal that takes no commands."""
    if device.state is not DeviceState.APPROVED:
        raise ApiError(
            HTTPStatus.CONFLICT,
            Phrase(
                "Terminal %(sn)s is %(value)s; approve it first.",
                sn=device.sn,
                value=device.state.value,
            ),
        )
    if not takes_commands(device):
        raise ApiError(HTTPStatus.CONFLICT, REFUSAL)


def _pin_of(command: QueuedCommand) -> str | None:
    return command.params.get("PIN")


def _place_of(command: QueuedCommand) -> tuple[int | None, int | None]:
    """Return the biometric type and, for a finger, the number that a command enrols."""
    if command.command == "ENROLL_MF":
        return None, None
    if command.command == "ENROLL_FP":
        return BiometricType.FINGERPRINT, int(command.params["FID"])
    return int(command.params["TYPE"]), None


def _state_of(command: QueuedCommand, *, has_arrived: bool) -> EnrolmentState:
    if has_arrived and command.state is not CommandState.FAILED:
        return EnrolmentState.RECEIVED
    if command.state in OPEN_STATES:
        is_queued = command.state is CommandState.QUEUED
        return EnrolmentState.WAITING if is_queued else EnrolmentState.ASKING
    if command.state is CommandState.DONE:
        return EnrolmentState.ENROLLED
    return EnrolmentState.FAILED


def _words(
    command: QueuedCommand,
    state: EnrolmentState,
    meaning: str | None,
    *,
    is_online: bool,
    conflict: int | None,
) -> str:
    """Say how far an enrolment is."""
    sn = command.device
    if state is EnrolmentState.WAITING:
        until = instant_or_none(command.expires_at)
        if is_online:
            return Phrase(
                "Waits for the next request of terminal %(sn)s, until %(until)s.",
                sn=sn,
                until=until,
            )
        return Phrase(
            "Waits for the next request of terminal %(sn)s, until %(until)s. The terminal is "
            "offline.",
            sn=sn,
            until=until,
        )
    if state is EnrolmentState.ASKING:
        return Phrase("Terminal %(sn)s asks the person now; it has not answered yet.", sn=sn)
    if state is EnrolmentState.ENROLLED:
        return Phrase("Terminal %(sn)s has enrolled it; it has not sent it yet.", sn=sn)
    if state is EnrolmentState.RECEIVED:
        if conflict is None:
            return Phrase("Terminal %(sn)s has enrolled it, and it is stored here.", sn=sn)
        return Phrase(
            "Terminal %(sn)s has enrolled a card, and another one is stored: settle conflict "
            "%(conflict)s.",
            sn=sn,
            conflict=conflict,
        )
    if command.return_code is not None:
        why = COMMAND_REASONS.phrase(meaning) if meaning else command.return_code
        return Phrase("Terminal %(sn)s has not enrolled it: %(reason)s.", sn=sn, reason=why)
    reason = end_phrase(command.reason, command.attempts, command.replaced_by, is_answered=False)
    return reason or Phrase("The command is %(state)s.", state=command.state.value)


def _enrolled_view(found: EnrolledTemplate) -> EnrolledView:
    is_card = found.type is None
    return EnrolledView(
        type=found.type,
        type_meaning="Card" if found.type is None else BiometricType(found.type).meaning,
        number=None if is_card else found.number,
        index=None if is_card else found.index,
        major_version=found.major_version,
        updated_at=instant(found.updated_at),
    )
