"""Audit of every read of secrets: passwords, templates and photos."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from ..clock import wall_clock
from ..device import acts
from ..interfaces import IStore
from ..model import Caller
from ..persist.audit import AuditStore
from ..persist.transaction import Transaction

MINUTE = 60.0
"""Seconds within which the same access is recorded once, as a program may repeat it."""
MOST = 1000
"""Maximum number of accesses that are remembered."""


class SecretAccessLog:
    """Records access to secrets in the audit log, before the secrets are shown."""

    def __init__(self, store: IStore, clock: IReactorTime) -> None:
        self._store = store
        self._clock = clock
        self._wall = wall_clock(clock)
        self._recent: dict[tuple[str, str, str, str | None], float] = {}

    async def note(
        self, caller: Caller, what: str, of: str = "", *, pin: str | None = None
    ) -> None:
        """Record that a caller is shown `what`, such as templates, of a person or an object.

        The record is on disk when this returns. `StoreError` if it cannot be stored: show nothing
        then.
        """
        now = self._clock.seconds()
        reading = (caller.name, what, of if pin is None else f"user {pin}", caller.address)
        at = self._recent.get(reading)
        if at is not None and 0 <= now - at < MINUTE:
            return
        action, now_ms = f"read {what}", int(self._wall() * 1000)

        def unit(tx: Transaction) -> None:
            subject = of if pin is None else tx[AuditStore].person(pin)
            acts.record(tx, caller, action, subject, "", now_ms)

        await self._store.write(unit)
        if len(self._recent) >= MOST:
            self._recent.clear()
        self._recent[reading] = now
