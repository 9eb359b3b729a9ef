"""Offsets of time zones that terminals were told.

Terminals know no daylight saving (spec 5): when the offset of a zone changes, the next exchange
tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..interfaces import IStore
from ..model import Device
from ..persist.devices import DeviceStore
from ..persist.leases import LeaseStore
from ..persist.transaction import Transaction
from ..protocol.times import zone_option
from ..values.sessions import REPEATED_STATES, SessionState
from .families import Families
from .session import renewed
from .terminal import Terminal

_TELLS_AGAIN = REPEATED_STATES | {SessionState.NEW}
"""Session states in which the next exchange sends all options anyway."""


class OffsetWatch:
    """Renews the sessions of terminals that were told another offset than the present one."""

    def __init__(
        self,
        store: IStore,
        owner: str,
        families: Families,
        updated: Callable[[Device], None],
        lease: float,
    ) -> None:
        """`owner` names this process, which renews them alone for `lease` seconds."""
        self._store = store
        self._owner = owner
        self._families = families
        self._updated = updated
        self._lease = lease

    async def renew(self, terminals: Iterable[Terminal], now: float) -> None:
        """Renew sessions after a change of offset; `now` is in seconds since the epoch."""
        offsets: dict[str | None, str] = {}
        moved = []
        for terminal in terminals:
            zone = terminal.device.timezone
            offset = offsets.get(zone) or offsets.setdefault(zone, zone_option(zone, now))
            if (
                terminal.session.state not in _TELLS_AGAIN
                and terminal.device.told_time_zone != offset
            ):
                moved.append(terminal.device.id)
        if not moved:
            return

        now_ms = int(now * 1000)
        until = now_ms + int(self._lease * 1000)

        def unit(tx: Transaction) -> list[Device]:
            if not tx[LeaseStore].hold("zones", self._owner, until, now_ms):
                return []
            store = tx[DeviceStore]
            return [self._renewed_thd(store, store.get(key)) for key in moved]

        for device in await self._store.write(unit):
            self._updated(device)

    def _renewed_thd(self, store: DeviceStore, device: Device) -> Device:
        state = renewed(self._families.of(device).session, device.session)
        return store.change(device.id, {"session": state})
