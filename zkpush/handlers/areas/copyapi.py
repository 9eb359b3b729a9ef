"""API of copies and adoptions: `POST devices/{sn}/copy` and `POST devices/{sn}/adopt`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta

from ...manage.limits import TERMINAL, Owner, WholeSite, require_thd
from ...manage.routes import Route
from ...manage.services import Services
from ...model import Caller
from ...protocol.fields import Scope
from ...protocol.serials import check_serial
from .copying import PeopleCopy


class CopyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A terminal whose people are to be copied."""

    source: Annotated[
        str, Meta(description="Serial number of the terminal that holds the people")
    ] = msgspec.field(name="from")
    dry_run: Annotated[bool, Meta(description="Report only; send nothing")] = False


class AdoptRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the people of a terminal are adopted."""

    dry_run: Annotated[bool, Meta(description="Report only; change nothing")] = False


class MisfitView(msgspec.Struct, frozen=True):
    """A part of a person that does not fit on a terminal, or is refused there."""

    pin: str
    part: Annotated[str, Meta(description="`user` for the fields, or the template or photo")]
    meaning: str


class CopyView(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy means."""

    people: Annotated[int, Meta(description="People whom the other terminal holds")]
    there: Annotated[int, Meta(description="Of them, those who are on the terminal already")]
    commands: Annotated[int, Meta(description="Commands that are needed")]
    outside: Annotated[
        int,
        Meta(
            description="People who are not in the area of the terminal, which distributes: they "
            "would be deleted there, so nothing is copied"
        ),
    ]
    does_not_fit: Annotated[
        list[MisfitView], Meta(description="What does not fit, or is refused; at most 100 parts")
    ]
    more: Annotated[int, Meta(description="Number of further parts that do not fit")]


class AdoptView(msgspec.Struct, frozen=True, kw_only=True):
    """What an adoption means."""

    area: str
    distributes: Annotated[
        bool, Meta(description="Whether the area sends its people to all its terminals")
    ]
    people: Annotated[int, Meta(description="People whom the terminal holds")]
    adopted: Annotated[int, Meta(description="Of them, those who were not in the area")]


class CopyEndpoints:
    """Handlers of the routes of copies and adoptions."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._copy = PeopleCopy(services.store)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "POST",
                "/devices/<sn>/copy",
                Scope.WRITE,
                self.copy,
                "Send the people on another terminal to a terminal, with templates and photos, as "
                "far as they fit; `GET devices/{sn}/users` shows the progress",
                body=CopyRequest,
                returns=CopyView,
                status=HTTPStatus.ACCEPTED,
                takes=("caller",),
                limited=(TERMINAL,),
            ),
            Route(
                "POST",
                "/devices/<sn>/adopt",
                Scope.WRITE,
                self.adopt,
                "Add the people on a terminal to its area",
                body=AdoptRequest,
                returns=AdoptView,
                takes=("caller",),
                limited=WholeSite(
                    "Adopting may take people of other areas into one; use a token without areas."
                ),
            ),
        ]

    async def copy(self, sn: str, body: CopyRequest, caller: Caller) -> CopyView:
        """Copy people."""
        now, source = self._services.now(), check_serial(body.source)
        await self._services.store.read(lambda tx: require_thd(tx, caller, Owner(TERMINAL, source)))
        found = await self._copy.copy(sn, source, caller, now, dry_run=body.dry_run)
        return CopyView(
            people=found.people,
            there=found.there,
            commands=found.commands,
            outside=found.strangers,
            does_not_fit=[MisfitView(one.pin, one.part, one.reason) for one in found.misfits],
            more=found.other_misfits,
        )

    async def adopt(self, sn: str, body: AdoptRequest, caller: Caller) -> AdoptView:
        """Adopt people."""
        now = self._services.now()
        found = await self._copy.adopt(sn, caller, now, dry_run=body.dry_run)
        return AdoptView(
            area=found.area,
            distributes=found.distributes,
            people=found.people,
            adopted=found.adopted,
        )
