"""API of commands: the catalogue, the queue and the results."""

from __future__ import annotations

from http import HTTPStatus
from operator import attrgetter
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from ...counting import people_phrase
from ...device.changes import check_scopes
from ...device.queue import CommandQueue
from ...device.queueing import Delivery, KeyReused
from ...device.registry import Registry
from ...interfaces import IStore
from ...manage.arguments import no_such
from ...manage.commandlimits import outside_thd
from ...manage.commandviews import CommandView, command_view, note_commands
from ...manage.errors import ApiError, NotConfirmed, not_found
from ...manage.limits import COMMAND, TERMINAL, of_device
from ...manage.listing import DeviceQuery, Listing, ListQuery, Order, whole
from ...manage.lists import ApiList, Shown
from ...manage.readings import SecretAccessLog
from ...manage.recordlists import devices_of
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant_of, parse_instant, time_argument
from ...model import Caller, Device, Page
from ...persist.commands import CommandStore
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, words_of
from ...protocol.fields import MOST_PRIORITY, Scope
from ...values.commands import CommandState, QueuedCommand
from ..people.model import RULE
from ..people.store import TerminalDeletions, check_commands_thd, deletions_thd
from .catalogueviews import CatalogueView, described
from .model import CommandFilter
from .store import CommandList

MOST_WAIT = 3650 * 24 * 3600
"""Longest time that a command may wait for its terminal, in seconds."""


class CommandRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command to queue."""

    command: Annotated[
        str,
        Meta(
            description="The words of the protocol, such as INFO, or of a command that the site "
            "defines: `GET commands/catalogue` lists all"
        ),
    ]
    params: dict[str, str] = {}
    expires_in: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_WAIT)] | None,
        Meta(
            description="Seconds that it may wait for the terminal, counted from `not_before` if "
            "given; the catalogue has the default"
        ),
    ] = None
    not_before: Annotated[
        str | None, Meta(description="Earliest time to send it, ISO 8601 with Z")
    ] = None
    priority: Annotated[
        Annotated[int, Meta(ge=0, le=MOST_PRIORITY)] | None,
        Meta(description="Higher ones are sent first; the catalogue has the default"),
    ] = None


class DeletionQuery(msgspec.Struct, frozen=True):
    """Confirmation of deletions of people."""

    confirm: Annotated[
        int | None,
        Meta(
            description="Number of people to delete on the terminal, as DATA DELETE USERINFO, "
            "CLEAR DATA and CLEAR ALL USERINFO do, and such lines of RAW: needed if these are "
            f"{RULE}"
        ),
    ] = None


class CommandQuery(DeviceQuery, frozen=True):
    """Filter of commands."""

    state: Annotated[CommandState | None, Meta(description="Only commands in this state")] = None
    command: Annotated[
        str | None, Meta(description="Only this command, such as DATA UPDATE USERINFO")
    ] = None
    job: Annotated[str | None, Meta(description="Only commands of this job")] = None
    since: Annotated[str | None, time_argument("ISO 8601; queued from this instant on")] = None
    order: Order = "desc"


def _filter(query: CommandQuery) -> CommandFilter:
    since = instant_of("since", query.since)
    milliseconds = None if since is None else since * 1000
    return CommandFilter(query.device, query.state, query.command, query.job, milliseconds)


class ListedCommand(NamedTuple):
    """A command of a list."""

    seq: int
    """Its cursor."""
    stored: QueuedCommand
    is_outside: bool
    """Whether it concerns what is outside the areas of the caller."""


class CommandEndpoints:
    """Handlers of the routes of commands."""

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        queue: CommandQueue,
        readings: SecretAccessLog,
        most_bytes: int,
    ) -> None:
        """`most_bytes` is the maximum size of a request that queues a command."""
        self._most_bytes = most_bytes
        self._readings = readings
        self._store = store
        self._registry = registry
        self._queue = queue
        self._catalogue = queue.catalogue

    def _no_command_thd(self, tx: Transaction, name: str) -> str | None:
        """Return why there can be no command of a name; those of a removed plugin may be left."""
        if tx[CommandList].page(Page(1), CommandFilter(command=name)):
            return None
        names = [command.name for command in self._catalogue.commands]
        return no_such("command", name, names, "`zkpush commands catalogue` lists them.")

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "GET",
                "/commands/catalogue",
                Scope.READ,
                self.catalogue,
                "All commands, with their parameters",
                returns=Listing[CatalogueView],
                limited=(),
            ),
            ApiList[ListedCommand](
                path="/commands",
                summary="The commands of all terminals, newest first",
                view=CommandView,
                query=CommandQuery,
                filter=_filter,
                find_thd=self._page_thd,
                show=lambda found, caller: self._view(
                    found.stored, caller, is_outside=found.is_outside
                ),
                key=attrgetter("seq"),
                owner=lambda found: of_device(found.stored),
                note=self._note_list,
                known={"command": self._no_command_thd},
            ).route(self._store),
            ApiList[ListedCommand](
                path="/devices/<sn>/commands",
                summary="The commands of a terminal, in the order they were queued",
                view=CommandView,
                find_thd=self._of_device_thd,
                show=lambda found, caller: self._view(
                    found.stored, caller, is_outside=found.is_outside
                ),
                key=attrgetter("seq"),
                owner=lambda found: of_device(found.stored),
                note=self._note_list,
            ).route(self._store),
            Route(
                "POST",
                "/devices/<sn>/commands",
                Scope.WRITE,
                self.add,
                "Queue a command; the same Idempotency-Key again gives the same command",
                query=DeletionQuery,
                body=CommandRequest,
                body_bytes=self._most_bytes,
                returns=CommandView,
                status=HTTPStatus.ACCEPTED,
                takes=("idempotency_key", "caller"),
                limited=(TERMINAL,),
            ),
            Route(
                "GET",
                "/commands/<id>",
                Scope.READ,
                self.show,
                "One command",
                returns=CommandView,
                takes=("caller",),
                limited=(COMMAND,),
            ),
            Route(
                "DELETE",
                "/commands/<id>",
                Scope.WRITE,
                self.cancel,
                "Cancel a command that is not ended",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=(COMMAND,),
            ),
        ]

    def _page_thd(self, tx: Transaction, part: Page, wanted: CommandFilter) -> list[ListedCommand]:
        found = tx[CommandList].page(part, wanted)
        outside = outside_thd(tx, self._catalogue, [one for _, one in found], part.areas)
        return [ListedCommand(seq, one, one.id in outside) for seq, one in found]

    def _of_device_thd(
        self, tx: Transaction, part: Page, query: ListQuery, sn: str
    ) -> list[ListedCommand]:
        return self._page_thd(tx, part, CommandFilter(device=sn))

    async def catalogue(self) -> Listing[CatalogueView]:
        """List the commands that terminals support."""
        return whole([described(command) for command in self._catalogue])

    async def _note_list(self, shown: Shown[ListedCommand]) -> None:
        commands = [one.stored for one in shown.records if not one.is_outside]
        whose = f"terminal {shown.names['sn']}" if shown.names else devices_of(shown.query)
        await self._note(shown.caller, whose, *commands)

    def _view(self, command: QueuedCommand, caller: Caller, *, is_outside: bool) -> CommandView:
        return command_view(
            self._catalogue,
            self._registry.families,
            command,
            caller.scopes,
            is_outside=is_outside,
        )

    async def _noted(self, command: QueuedCommand, caller: Caller) -> CommandView:
        """Show a command, and record that the caller sees its secrets, if any."""
        outside = await self._store.read(
            lambda tx: outside_thd(tx, self._catalogue, [command], caller.areas)
        )
        if not outside:
            await self._note(caller, f"command {command.id}", command)
        return self._view(command, caller, is_outside=bool(outside))

    async def add(
        self,
        sn: str,
        body: CommandRequest,
        query: DeletionQuery,
        idempotency_key: str | None,
        caller: Caller,
    ) -> CommandView:
        """Queue a command."""

        def find_thd(tx: Transaction) -> tuple[Device | None, TerminalDeletions | None]:
            device = tx[DeviceStore].find(sn)
            if device is None:
                return None, None
            if idempotency_key is not None and tx[CommandStore].find(device.id, idempotency_key):
                return device, None  # it is queued already
            entry = self._catalogue.find(body.command, device.family)
            check_commands_thd(tx, caller, [(entry, body.params)])
            return device, deletions_thd(tx, [(body.command, body.params)], [device.id])

        device, deletions = await self._store.read(find_thd)
        if device is None:
            raise not_found(Phrase("There is no terminal %(sn)s.", sn=sn))
        command = self._catalogue.find(body.command, device.family)
        check_scopes(caller, command.scopes(body.params), f"This {command.name}")
        if deletions is not None and deletions.is_many and query.confirm != deletions.people:
            raise NotConfirmed(
                Phrase(
                    "This would delete %(people)s on terminal %(sn)s",
                    people=people_phrase(deletions.people),
                    sn=sn,
                ),
                deletions.people,
            )
        not_before = None if body.not_before is None else parse_instant(body.not_before) * 1000
        delivery = Delivery(body.expires_in, not_before, body.priority)
        try:
            queued = await self._queue.add(
                sn, body.command, body.params, idempotency_key, caller, delivery
            )
        except KeyReused as error:
            raise ApiError(HTTPStatus.CONFLICT, words_of(error)) from None
        if idempotency_key is not None:  # it may have a result by now
            return await self._noted(queued, caller)
        return self._view(queued, caller, is_outside=False)

    async def show(self, id: str, caller: Caller) -> CommandView:
        """Show a command."""
        return await self._noted(await self._find(id), caller)

    async def _find(self, id: str) -> QueuedCommand:
        found = await self._store.read(lambda tx: tx[CommandStore].get(id))
        if found is None:
            raise not_found(Phrase("There is no command %(id)s.", id=id))
        return found

    async def _note(self, caller: Caller, of: str, *commands: QueuedCommand) -> None:
        """Record that secret parameters or results, if any, are shown to a caller."""
        await note_commands(self._readings, self._catalogue, caller, of, commands)

    async def cancel(self, id: str, caller: Caller) -> None:
        """Cancel a command."""
        if await self._queue.cancel(id, caller) is None:
            found = await self._find(id)
            raise ApiError(
                HTTPStatus.CONFLICT,
                Phrase("The command %(id)s is %(value)s already.", id=id, value=found.state.value),
            )


def routes(services: Services) -> list[Route]:
    """Return the routes of commands."""
    return CommandEndpoints(
        services.store,
        services.registry,
        services.queue,
        services.secret_access,
        services.settings.limits.command_bytes,
    ).routes()
