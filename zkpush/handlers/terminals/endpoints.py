"""API of terminals: list, add, change and remove them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple, cast

from msgspec import UNSET, Meta

from ...device.administration import TerminalAdministration
from ...device.changes import check_scopes, scopes_to_change
from ...device.silence import is_silent
from ...device.zones import ZoneUnknown
from ...manage import views
from ...manage.errors import ApiError, not_found
from ...manage.limits import TERMINAL, Owner, check_areas
from ...manage.listing import ListQuery
from ...manage.lists import ApiList
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import parse_instant
from ...model import Caller, Device, DeviceState, Page
from ...persist.commandhistory import CommandHistory
from ...persist.commkeys import CommKeyStore
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, words_of
from ...problems import ServerProblem
from ...protocol.fields import Scope
from ...protocol.handshake import canonical_settings, check_settings
from ...protocol.secrecy import Scopes
from ...protocol.serials import check_serial
from ...values.keys import OfferedKey


class ListedDevice(NamedTuple):
    """A terminal with the number of its open commands, its offered keys, and the problems of the
    server about it."""

    device: Device
    pending: int
    offered_keys: Sequence[OfferedKey]
    others: Sequence[ServerProblem]


class TerminalQuery(ListQuery, frozen=True):
    """Filter of terminals."""

    retired: Annotated[
        bool | None, Meta(description="Retired terminals, too, which are left out otherwise")
    ] = None
    state: Annotated[DeviceState | None, Meta(description="Only terminals in this state")] = None


class TerminalEndpoints:
    """The routes of terminals."""

    def __init__(self, services: Services) -> None:
        self._zones = services.zones
        self._readings = services.secret_access
        self._store = services.store
        self._registry = services.registry
        self._problems = services.problems
        self._administration = TerminalAdministration(services.store, services.registry)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ApiList[ListedDevice](
                path="/devices",
                summary="Terminals, in the order they were first seen",
                view=views.DeviceView,
                query=TerminalQuery,
                find_thd=self._listed_thd,
                show=lambda found, caller: self._view(*found),
                key=lambda found: found.device.id,
                owner=lambda found: Owner(TERMINAL, found.device.sn),
            ).route(self._store),
            Route(
                "GET",
                "/devices/<sn>",
                Scope.READ,
                self.device,
                "One terminal",
                returns=views.DeviceView,
                takes=("caller",),
                limited=(TERMINAL,),
            ),
            Route(
                "PUT",
                "/devices/<sn>",
                Scope.WRITE,
                self.put_device,
                "Add a terminal before it connects, or change it",
                body=views.DeviceChange,
                returns=views.DeviceView,
                takes=("caller",),
                limited=(TERMINAL,),
            ),
            Route(
                "PATCH",
                "/devices/<sn>",
                Scope.WRITE,
                self.change_device,
                "Approve, block, name or configure a terminal",
                body=views.DeviceChange,
                returns=views.DeviceView,
                takes=("caller",),
                limited=(TERMINAL,),
            ),
            Route(
                "DELETE",
                "/devices/<sn>",
                Scope.WRITE,
                self.delete_device,
                "Remove a terminal; 409 if it has records: block it then",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=(TERMINAL,),
            ),
            Route(
                "POST",
                "/devices/<sn>/recompute",
                Scope.WRITE,
                self.recompute,
                "Reckon the instants of a terminal's records by its present zone",
                body=views.RecomputeRequest,
                returns=views.RecomputedView,
                takes=("caller",),
                limited=(TERMINAL,),
            ),
        ]

    def _listed_thd(self, tx: Transaction, part: Page, query: TerminalQuery) -> list[ListedDevice]:
        found = tx[DeviceStore].page(part, query.state, with_retired=bool(query.retired))
        keys = tx[CommKeyStore].of_all([device.id for device in found])
        pending = tx[CommandHistory].pending()
        others = self._problems.about_thd(tx) if found else {}
        return [
            ListedDevice(
                device,
                pending.get(device.id, 0),
                keys.get(device.id, ()),
                others.get(device.sn, ()),
            )
            for device in found
        ]

    async def device(self, sn: str, caller: Caller) -> views.DeviceView:
        """Show a terminal, with secret options only to callers with the scope for them."""
        found = await self._find(sn)
        device = found.device
        if Scope.BIOMETRICS in caller.scopes and views.hides_secrets(device):
            await self._readings.note(caller, "options", f"terminal {sn}")
        return self._view(*found, caller.scopes)

    async def _find(self, sn: str) -> ListedDevice:
        """Find a terminal, with what its view shows, or raise 404."""

        def find(tx: Transaction) -> ListedDevice | None:
            device = tx[DeviceStore].find(sn)
            if device is None:
                return None
            pending = tx[CommandHistory].pending().get(device.id, 0)
            others = self._problems.about_thd(tx).get(sn, ())
            return ListedDevice(device, pending, tx[CommKeyStore].of(device.id), others)

        found = await self._store.read(find)
        if found is None:
            raise _no_terminal(sn)
        return found

    async def put_device(
        self, sn: str, body: views.DeviceChange, caller: Caller
    ) -> views.DeviceView:
        """Add a terminal if it does not exist, then change it."""
        changes = _changes_of(body)
        check_scopes(caller, scopes_to_change(changes), "This change")
        await self._administration.add(check_serial(sn), DeviceState.PENDING, caller)
        return await self._change(sn, changes, caller)

    async def change_device(
        self, sn: str, body: views.DeviceChange, caller: Caller
    ) -> views.DeviceView:
        """Change a terminal, completely or not at all."""
        return await self._change(sn, _changes_of(body), caller)

    async def _change(
        self, sn: str, changes: Mapping[str, object], caller: Caller
    ) -> views.DeviceView:
        if "area" in changes:
            check_areas(caller, [cast(str | None, changes["area"])], "area")
        if changes:
            await self._administration.change(sn, changes, caller)
        if changes.get("timezone") is not None:
            await self._zones.follow()
        return self._view(*await self._find(sn))

    async def recompute(
        self, sn: str, body: views.RecomputeRequest, caller: Caller
    ) -> views.RecomputedView:
        """Compute the instants of its attendance records again."""
        since, until = (
            None if time is None else parse_instant(time) for time in (body.since, body.until)
        )
        try:
            counts = await self._zones.recompute(sn, since, until, caller)
        except ZoneUnknown as error:
            raise ApiError(HTTPStatus.CONFLICT, words_of(error)) from None
        return views.RecomputedView(sn, counts.timezone, counts.checked, counts.changed)

    async def delete_device(self, sn: str, caller: Caller) -> None:
        """Remove a terminal without records."""
        try:
            await self._administration.remove(sn, caller)
        except ValueError as error:
            raise ApiError(HTTPStatus.CONFLICT, words_of(error)) from None

    def _view(
        self,
        device: Device,
        pending: int,
        offered_keys: Sequence[OfferedKey],
        others: Sequence[ServerProblem],
        scopes: Scopes = (),
    ) -> views.DeviceView:
        last_seen_at, address = self._registry.last_seen(device)
        is_online = self._registry.is_online(device)
        return views.device_view(
            device,
            scopes,
            online=is_online,
            silent=is_silent(device, last_seen_at, self._registry.now(), is_online=is_online),
            last_seen_at=last_seen_at,
            address=address,
            pending_commands=pending,
            offered_keys=offered_keys,
            hybrid=self._registry.hybrid(device),
            version=self._registry.version(device),
            others=others,
        )


def _changes_of(body: views.DeviceChange) -> dict[str, object]:
    """Return the validated changes of a request body; `ValueError` for an invalid value."""
    changes: dict[str, Any] = {
        one.field: one.checked(value)
        for name, one in views.CHANGEABLE.items()
        if (value := getattr(body, name)) is not UNSET
    }
    if "settings" in changes:
        changes["settings"] = _check_change(changes["settings"])
    if body.secret is not UNSET:
        changes["secret"] = _decode_secret(body.secret)
    return changes


def _check_change(settings: Mapping[str, str | int | None]) -> dict[str, str | int | None]:
    """Check settings to merge; None removes a setting."""
    taken = {name: value for name, value in settings.items() if value is None}
    checked = check_settings({k: v for k, v in settings.items() if v is not None})
    return {**dict.fromkeys(canonical_settings(taken)), **checked}


def _decode_secret(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except ValueError:
        raise ValueError(Phrase("secret must be base64, or null to take it back.")) from None


def _no_terminal(sn: str) -> ApiError:
    return not_found(Phrase("There is no terminal %(sn)s.", sn=sn))
