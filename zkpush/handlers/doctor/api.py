"""API of the doctor: `GET doctor` and `GET devices/{sn}/doctor`."""

from __future__ import annotations

from ...clock import wall_clock
from ...device.registry import Registry
from ...interfaces import IStore
from ...manage.errors import not_found
from ...manage.routes import Route
from ...manage.services import Services
from ...model import Device
from ...persist.commandschedule import CommandSchedule
from ...persist.devices import DeviceStore
from ...persist.stamps import StampStore
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ...values.audit import AuditRecord
from ..trace.model import LastRequests
from .facts import TerminalFacts
from .model import Examination, examination
from .server import ServerFacts, examine_server
from .strangers import StrangerRefusals, examine_stranger
from .terminal import examine, rank

Found = tuple[Device, int | None, frozenset[str]] | list[AuditRecord]


class DoctorEndpoints:
    """Routes of the doctor."""

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        requests: LastRequests,
        server: ServerFacts,
        clock: object,
    ) -> None:
        self._store = store
        self._registry = registry
        self._requests = requests
        self._server = server
        self._strangers = server.strangers
        self._wall = wall_clock(clock)

    def routes(self) -> list[Route]:
        """Return the routes."""
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
        return examination(await examine_server(self._server))

    async def terminal(self, sn: str) -> Examination:
        """Check a terminal, or the refusals of a serial number that is not among them."""
        now = int(self._wall() * 1000)

        def find(tx: Transaction) -> Found:
            device = tx[DeviceStore].find(sn)
            if device is None:
                return self._strangers.of_thd(tx, sn, now)
            oldest = tx[CommandSchedule].oldest_due(device.id, now)
            return device, oldest, frozenset(tx[StampStore].of(device.id))

        found = await self._store.read(find)
        if isinstance(found, list):
            refusals = [*self._strangers.unwritten(sn), *found]
            if not refusals:
                raise not_found(
                    f"There is no terminal {sn}: it has not reached this server. Check the server "
                    "address and port in its menu, and that HTTPS is off there unless this server "
                    "has a TLS port for terminals. `zkpush doctor` shows refused connections, and "
                    "`zkpush devices list` the terminals that have connected."
                )
            knows_zone = self._registry.timezone is not None
            return examination(examine_stranger(sn, refusals, now, knows_zone=knows_zone))
        device, oldest, stamps = found
        last_seen_at, _ = self._registry.last_seen(device)
        facts = TerminalFacts(
            device=device,
            now=now,
            is_online=self._registry.is_online(device),
            last_seen_at=last_seen_at,
            trace=await self._requests.of(device),
            oldest_command_at=oldest,
            stamps=stamps,
        )
        return examination(examine(facts), rank)


def routes(services: Services) -> list[Route]:
    """Return the routes of the doctor."""
    server = ServerFacts(
        services.store,
        services.registry,
        services.health,
        services.problems,
        services.installation,
        StrangerRefusals(services.refusals),
    )
    requests = services.offers[LastRequests]
    return DoctorEndpoints(
        services.store, services.registry, requests, server, services.clock
    ).routes()
