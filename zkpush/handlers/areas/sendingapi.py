"""API that sends one person to terminals: `POST users/{pin}/send`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ...manage.limits import PERSON
from ...manage.listing import Listing, whole
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.targets import TargetRequest
from ...model import Caller
from ...protocol.fields import Scope
from .copyapi import MisfitView
from .sending import PersonSending, SendOutcome


class SendRequest(TargetRequest, frozen=True):
    """The terminals that a person is sent to."""

    dry_run: Annotated[bool, Meta(description="Report only; send nothing")] = False


class SendView(msgspec.Struct, frozen=True, kw_only=True):
    """What sending a person means for a terminal."""

    device: str
    state: Annotated[
        Literal["sent", "there", "not_sent"],
        Meta(
            description="`there` if the terminal has the person already; `not_sent` if nothing is "
            "sent: `meaning` or `does_not_fit` says why"
        ),
    ]
    meaning: Annotated[
        str | None,
        Meta(description="Why the person is not sent there, and what to do; null if it is"),
    ]
    commands: Annotated[int, Meta(description="Commands that are needed")]
    does_not_fit: Annotated[list[MisfitView], Meta(description="What does not fit, or is refused")]


class SendEndpoints:
    """Handler of the route."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._sending = PersonSending(services.store)

    def routes(self) -> list[Route]:
        """Return the route."""
        return [
            Route(
                "POST",
                "/users/<pin>/send",
                Scope.WRITE,
                self.send,
                "Send a person to terminals, with templates and photos, as far as they fit; "
                "`GET users/{pin}/places` shows the progress",
                body=SendRequest,
                returns=Listing[SendView],
                status=HTTPStatus.ACCEPTED,
                takes=("caller",),
                limited=(PERSON,),
            )
        ]

    async def send(self, pin: str, body: SendRequest, caller: Caller) -> Listing[SendView]:
        """Send a person."""
        now = self._services.now()
        found = await self._sending.send(pin, body, caller, now, dry_run=body.dry_run)
        return whole([_view(one) for one in found])


def _view(one: SendOutcome) -> SendView:
    return SendView(
        device=one.sn,
        state="sent" if one.is_sent else "there" if one.is_there else "not_sent",
        meaning=one.refusal,
        commands=one.found.commands,
        does_not_fit=[MisfitView(each.pin, each.part, each.reason) for each in one.found.misfits],
    )
