"""Operator actions on terminals: add, change, remove, and request records again.

Each action is stored together with its audit record; then the registry is updated.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..interfaces import IStore
from ..model import Caller, Device, DeviceState
from ..persist.devices import DeviceStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from . import acts
from .changes import change, check_scopes, scopes_to_change, scopes_to_remove
from .registry import Registry


class TerminalAdministration:
    """Adds, changes and removes terminals on behalf of callers of the API."""

    def __init__(self, store: IStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    async def change(self, sn: str, values: Mapping[str, object], by: Caller | None) -> Device:
        """Change a terminal for an operator (`zkpush.device.changes`).

        Raises `LookupError` for an unknown terminal, `ValueError` for invalid values, and
        `ScopeNeeded` if the caller may not change them.
        """
        now = self._registry.now()

        def unit(tx: Transaction) -> Device:
            device = tx[DeviceStore].find(sn)
            if device is None:
                raise LookupError(Phrase("There is no terminal %(sn)s.", sn=sn))
            check_scopes(by, scopes_to_change(values), "This change")
            detail = acts.change_detail(values)
            acts.record(tx, by, acts.CHANGE_TERMINAL, f"terminal {sn}", detail, now)
            ciphers, families = self._registry.ciphers, self._registry.families
            return change(tx, device, values, ciphers, families, now)

        device: Device = await self._store.write(unit)
        self._registry.updated(device)
        return device

    async def add(self, sn: str, state: DeviceState, by: Caller | None) -> Device:
        """Record a terminal before it connects; an existing one is left unchanged."""
        timezone, now = self._registry.timezone, self._registry.now()

        def unit(tx: Transaction) -> Device:
            if tx[DeviceStore].find(sn) is None:
                acts.record(tx, by, acts.ADD_TERMINAL, f"terminal {sn}", "", now)
            return tx[DeviceStore].add(sn, state, timezone, now)

        device = await self._store.write(unit)
        self._registry.updated(device)
        return device

    async def remove(self, sn: str, by: Caller | None) -> None:
        """Remove a terminal that has no records.

        Raises `LookupError` for an unknown terminal, `ValueError` if it has records, and
        `ScopeNeeded` if it has protection that the caller may not lower.
        """
        now = self._registry.now()

        def unit(tx: Transaction) -> None:
            device = tx[DeviceStore].find(sn)
            if device is None:
                raise LookupError(Phrase("There is no terminal %(sn)s.", sn=sn))
            check_scopes(by, scopes_to_remove(tx, device), "Removing a protected terminal")
            tx[DeviceStore].remove(device.id)
            acts.record(tx, by, acts.REMOVE_TERMINAL, f"terminal {sn}", "", now)

        await self._store.write(unit)
        self._registry.forget(sn)
