"""The API of the doctor: `GET doctor` and `GET devices/{sn}/doctor`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from ...clock import wall_clock
from ...device.registry import Registry
from ...interfaces import IStore
from ...manage.errors import not_found
from ...manage.routes import Route
from ...model import Device
from ...persist.commands import CommandStore
from ...persist.devices import DeviceStore
from ...persist.stamps import StampStore
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ..trace.model import TracedRequest
from .model import Examination, examination
from .server import Installation, examine_server
from .terminal import TerminalFacts, examine

Found = tuple[Device, int | None, frozenset[str]]


class DoctorEndpoints:
    """The routes of the doctor."""

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        trace: Callable[[str], Awaitable[Sequence[TracedRequest]]],
        installation: Installation,
        clock: object,
    ) -> None:
        """`trace` returns the last requests of a terminal, the newest last."""
        self._store = store
        self._registry = registry
        self._trace = trace
        self._installation = installation
        self._wall = wall_clock(clock)

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route(
                "GET",
                "/doctor",
                Scope.READ,
                self.server,
                "Check the installation: ports, storage, modes of files, certificates, zone, audit "
                "log, terminals and plugins",
                returns=Examination,
            ),
            Route(
                "GET",
                "/devices/<sn>/doctor",
                Scope.READ,
                self.terminal,
                "Check a terminal: why it does not connect, or sends no records",
                returns=Examination,
            ),
        ]

    async def server(self) -> Examination:
        """Check the installation."""
        return examination(await examine_server(self._installation))

    async def terminal(self, sn: str) -> Examination:
        """Check a terminal."""
        now = int(self._wall() * 1000)

        def find(tx: Transaction) -> Found | None:
            device = tx[DeviceStore].find(sn)
            if device is None:
                return None
            oldest = tx[CommandStore].oldest_due(device.id, now)
            return device, oldest, frozenset(tx[StampStore].of(device.id))

        found = await self._store.read(find)
        if found is None:
            raise not_found(
                f"There is no terminal {sn}: it has not reached this server. Check the server "
                "address and port in its menu; `zkpush devices list` shows who has connected."
            )
        device, oldest, stamps = found
        last_seen_at, _ = self._registry.last_seen(device)
        facts = TerminalFacts(
            device=device,
            now=now,
            is_online=self._registry.is_online(device),
            last_seen_at=last_seen_at,
            trace=await self._trace(sn),
            oldest_command_at=oldest,
            stamps=stamps,
        )
        return examination(examine(facts))
