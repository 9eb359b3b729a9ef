"""API of terminals, and of intents for them, independent of their family."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta

from ...device import acts
from ...manage.commandviews import CommandView, ask
from ...manage.limits import TERMINAL
from ...manage.listing import Listing
from ...manage.routes import Route
from ...manage.services import Services
from ...model import Caller
from ...protocol.fields import Scope
from .endpoints import TerminalEndpoints
from .model import AskRecords, OpenDoor, Reboot
from .retirement import RetirementEndpoints

MOST_SECONDS = 254
"""Longest opening time of a door, in seconds; 255 keeps the door of some terminals open for
good."""


class ResendRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data type that a terminal must send again completely."""

    table: Annotated[str, Meta(description="The table of the upload, such as ATTLOG")]


class DoorRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A door to open once."""

    door: Annotated[int, Meta(ge=1, description="The number of the door")] = 1
    seconds: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_SECONDS)] | None,
        Meta(description="Opening time in seconds, if the terminal supports it"),
    ] = None


def routes(services: Services) -> list[Route]:
    """Return the routes."""

    async def resend(sn: str, body: ResendRequest, caller: Caller) -> CommandView:
        act = (acts.RESEND, body.table.upper())
        listed = await ask(services, sn, AskRecords(body.table), caller, act)
        return listed.items[0]

    async def open_door(sn: str, body: DoorRequest, caller: Caller) -> Listing[CommandView]:
        return await ask(services, sn, OpenDoor(body.door, body.seconds), caller)

    async def reboot(sn: str, caller: Caller) -> Listing[CommandView]:
        return await ask(services, sn, Reboot(), caller)

    return [
        *TerminalEndpoints(services).routes(),
        Route(
            "POST",
            "/devices/<sn>/resend",
            Scope.WRITE,
            resend,
            "Make a terminal send all it has of a data type again",
            body=ResendRequest,
            returns=CommandView,
            status=HTTPStatus.ACCEPTED,
            takes=("caller",),
            limited=(TERMINAL,),
        ),
        Route(
            "POST",
            "/devices/<sn>/door",
            Scope.DANGEROUS,
            open_door,
            "Open a door of a terminal once; gives the commands that do it",
            body=DoorRequest,
            returns=Listing[CommandView],
            status=HTTPStatus.ACCEPTED,
            takes=("caller",),
            limited=(TERMINAL,),
        ),
        Route(
            "POST",
            "/devices/<sn>/reboot",
            Scope.WRITE,
            reboot,
            "Restart a terminal; gives the commands that do it",
            returns=Listing[CommandView],
            status=HTTPStatus.ACCEPTED,
            takes=("caller",),
            limited=(TERMINAL,),
        ),
        *RetirementEndpoints(services).routes(),
    ]
