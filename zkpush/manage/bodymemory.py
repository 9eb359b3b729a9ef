"""Memory for the bodies of requests to the management endpoint, as a whole.

Theory of operation. Each path limits the length of one body; this limits all of a process together.
A body is charged before any of it is read, after its path and its caller were checked, by its
declared length; without one, by the limit of its path. It is charged until the request has been
carried out, also if the client has gone meanwhile. A long body without memory waits, while nothing
is read from its connection. See `MemoryBudget` for the shares of callers and addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ..device.budget import Charge, MemoryBudget
from ..device.refusals import Refusal, RefusalLog
from ..phrases import Phrase
from ..protocol.errors import Unavailable
from ..settings.network import Limits
from .errors import ApiError

RETRY_SECONDS = 30
"""Seconds after which a refused client is told to send its body again."""
FULL = Phrase(
    "This server receives many large files now, and has no memory for another one. Nothing was "
    "changed; send it again in a minute."
)


class BodyMemory:
    """The memory for bodies of one process."""

    def __init__(self, limits: Limits, refusals: RefusalLog, clock: IReactorTime) -> None:
        self._budget = MemoryBudget(
            limits.manage_bodies_bytes,
            limits.body_wait_seconds,
            lambda _, address: refusals.refuse(Refusal.MANAGE_BODIES_BYTES, None, address),
            clock,
        )

    @property
    def held(self) -> int:
        """Number of bytes held now."""
        return self._budget.held

    async def take(
        self,
        caller: str | None,
        address: str | None,
        size: int,
        waits: Callable[[Deferred[Charge]], None],
    ) -> Charge:
        """Charge a body of `size` bytes, maybe after a while; `ApiError` (503) without memory.

        `waits` gets what can be cancelled while the body waits.
        """
        try:
            taken = self._budget.take(caller, address, size)
            if isinstance(taken, Charge):
                return taken
            waits(taken)
            return await taken
        except Unavailable:
            headers = {"Retry-After": str(RETRY_SECONDS)}
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, FULL, headers) from None
