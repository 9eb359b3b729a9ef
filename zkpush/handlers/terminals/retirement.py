"""API of the end of a terminal: retire it, or replace it by another one."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta

from ...device.retiring import Ended, NotReplaceable, TerminalRetirement
from ...manage.errors import ApiError
from ...manage.limits import TERMINAL, Owner, require_thd
from ...manage.routes import Route
from ...manage.services import Services
from ...model import Caller
from ...persist.transaction import Transaction
from ...phrases import words_of
from ...protocol.fields import Scope
from ...protocol.serials import check_serial


class ReplaceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The terminal that replaces another one."""

    by: Annotated[str, Meta(description="Serial number of the new terminal; it is approved")]
    has_records: Annotated[
        bool, Meta(description="Allow a terminal that has records of its own already")
    ] = False


class EndedView(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal that was retired or replaced."""

    device: str
    replaced_by: str | None
    moved: Annotated[int, Meta(description="Queued commands that the new terminal gets")]
    cancelled: Annotated[int, Meta(description="Open commands that were cancelled")]


class RetirementEndpoints:
    """Handlers of the routes of retirement."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._retirement = TerminalRetirement(
            services.registry, services.catalogue, services.enders, services.now
        )

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "POST",
                "/devices/<sn>/replace",
                Scope.WRITE,
                self.replace,
                "Replace a terminal by another one, which takes its name, place and settings; the "
                "records stay under the old serial number",
                body=ReplaceRequest,
                returns=EndedView,
                takes=("caller",),
                limited=(TERMINAL,),
            ),
            Route(
                "POST",
                "/devices/<sn>/retire",
                Scope.WRITE,
                self.retire,
                "Take a terminal out of use: it is refused and not listed, and its records stay",
                returns=EndedView,
                takes=("caller",),
                limited=(TERMINAL,),
            ),
        ]

    async def replace(self, sn: str, body: ReplaceRequest, caller: Caller) -> EndedView:
        """Replace a terminal."""
        by = check_serial(body.by)
        await self._services.store.read(lambda tx: require_thd(tx, caller, Owner(TERMINAL, by)))
        return await self._end(
            lambda tx: self._retirement.replace_thd(
                tx, sn, by, caller, may_have_records=body.has_records
            )
        )

    async def retire(self, sn: str, caller: Caller) -> EndedView:
        """Retire a terminal."""
        return await self._end(lambda tx: self._retirement.retire_thd(tx, sn, caller))

    async def _end(self, unit: Callable[[Transaction], Ended]) -> EndedView:
        try:
            ended = await self._services.store.write(unit)
        except NotReplaceable as error:
            raise ApiError(HTTPStatus.CONFLICT, words_of(error)) from None
        registry = self._services.registry
        registry.updated(ended.device)
        successor = ended.successor
        if successor is not None:
            registry.updated(successor)
            if ended.moved:
                self._services.queue.hurry(successor.sn, None)
        return EndedView(
            device=ended.device.sn,
            replaced_by=None if successor is None else successor.sn,
            moved=ended.moved,
            cancelled=ended.cancelled,
        )
