"""API of the doctor: `GET doctor` and `GET devices/{sn}/doctor`."""

from __future__ import annotations

from ...manage.errors import not_found
from ...manage.limits import TERMINAL, WholeSite
from ...manage.routes import Route
from ...manage.services import Services
from ...protocol.fields import Scope
from ..trace.model import LastRequests
from .examining import TerminalExaminer, examiner
from .model import Examination, examination, in_english
from .server import ServerFacts, examine_server, rank_of_server
from .strangers import StrangerRefusals


class DoctorEndpoints:
    """Routes of the doctor."""

    def __init__(self, server: ServerFacts, terminals: TerminalExaminer) -> None:
        self._server = server
        self._terminals = terminals

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
                limited=WholeSite(
                    "The installation serves all areas; `devices/{sn}/doctor` checks a terminal."
                ),
            ),
            Route(
                "GET",
                "/devices/<sn>/doctor",
                Scope.READ,
                self.terminal,
                "Check a terminal: why it does not connect, or sends no records",
                returns=Examination,
                limited=(TERMINAL,),
            ),
        ]

    async def server(self) -> Examination:
        """Check the installation."""
        return in_english(examination(await examine_server(self._server), rank_of_server))

    async def terminal(self, sn: str) -> Examination:
        """Check a terminal, or the refusals of a serial number that is not among them."""
        try:
            _, found = await self._terminals.examine(sn)
        except LookupError:
            meant = await self._terminals.meant(sn)
            if meant.casefold().endswith(f" {sn.casefold()}?"):
                raise not_found(f"There is no terminal {sn}.{meant}") from None
            raise not_found(
                f"There is no terminal {sn}: it has not reached this server."
                f"{meant} Check the server "
                "address and port in its menu, and that HTTPS is off there unless this server "
                "has a TLS port for terminals. `zkpush doctor` shows refused connections, and "
                "`zkpush devices list` the terminals that have connected."
            ) from None
        return in_english(found)


def routes(services: Services) -> list[Route]:
    """Return the routes of the doctor."""
    server = ServerFacts(
        services.store,
        services.registry,
        services.health,
        services.problems,
        services.installation,
        StrangerRefusals(services.refusals),
        services.offers[LastRequests],
    )
    return DoctorEndpoints(server, examiner(services)).routes()
