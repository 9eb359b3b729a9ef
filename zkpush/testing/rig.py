"""A daemon in memory for tests: the parts of `twistd zkpush`, without ports and processes."""

from __future__ import annotations

import pathlib
from collections.abc import Collection, Iterable
from typing import Any, Self

import msgspec
from twisted.internet import reactor
from twisted.internet.task import deferLater

from .. import config, installed, tap
from ..datadir import DataDirectory
from ..persist.inbox import InboxStore
from ..simulator.terminal import SimulatedTerminal
from .clock import TurnedReactor
from .databases import copying_stores
from .network import Network
from .wire import Response, talk

TOKEN = "rig-token"  # noqa: S105 - no password
"""API token with every scope."""
KEY = bytes(range(32))
"""Site key."""
IN_MEMORY = "memory:"
_TURN_SECONDS = 0.01
_MANY_TURNS = 2_000


class Rig:
    """The daemon that `twistd zkpush` would run, on a clock that tests advance.

    Its database is SQLite in memory unless another URL is given. Requests of terminals and of the
    API are bytes on connections in memory. `clock.advance(seconds)` advances the time.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *,
        admission: str = "open",
        database: str = IN_MEMORY,
        plugins: Collection[object] = (),
        **settings: object,
    ) -> None:
        """`folder` is an empty folder, used as the data directory.

        `plugins` are added, or replace installed ones of the same class and name. `settings` are
        those of the configuration file; the zone of terminals is UTC unless `timezone` is another
        one, or None.
        """
        self.clock = TurnedReactor()
        values = {
            "data": folder,
            "admission": admission,
            "database": database,
            "timezone": "UTC",
            **settings,
        }
        self.config = config.load(
            None, values, lambda text: text, sections=installed.sections(plugins)
        )
        (folder / "key").write_text(KEY.hex())
        data = DataDirectory(folder, TOKEN, KEY)
        plugins = [copying_stores(), *plugins]
        self.daemon = tap.build(self.config, data, self.clock, plugins=plugins)
        self.store = self.daemon.store
        self.registry = self.daemon.registry
        self.terminals: Any = self.daemon.terminals[0].site
        manage = self.daemon.manage
        self.manage: Any = None if manage is None else manage.site
        self.running = False

    async def start(self) -> Self:
        """Open the database, and start serving."""
        self.running = True
        self.store.start(self.daemon.brings)
        self.daemon.registry.startService()
        await self.registry.follow()
        self.daemon.refusals.startService()
        self.daemon.inbox.startService()
        return self

    async def stop(self) -> None:
        """Stop serving, and close the database; no effect unless started."""
        if self.running:
            self.running = False
            await self._stop()

    async def _stop(self) -> None:
        await self.stop_jobs()
        await self.daemon.inbox.stopService()
        await self.registry.stopService()
        await self.daemon.refusals.stopService()
        await self.store.stop()

    def start_jobs(self) -> None:
        """Start the background jobs of the process that serves people."""
        for job in [*self.daemon.jobs, *self.daemon.recorders]:
            job.startService()

    async def stop_jobs(self) -> None:
        """Stop the background jobs; no effect unless started."""
        for job in [*self.daemon.jobs, *self.daemon.recorders]:
            if job.running:
                await job.stopService()

    def terminal(self, sn: str = "SIM1", **options: Any) -> SimulatedTerminal:
        """Make a simulated terminal that is connected to this daemon.

        `options` are `users`, `model`, `faults` and `encrypt`.
        """
        return Network(self.terminals).terminal(self.clock, sn=sn, **options)

    async def get(self, path: str, *, version: str = "1.1", address: str = "192.0.2.7") -> Response:
        """Send a terminal's GET for a path under /iclock/."""
        raw = f"GET /iclock/{path} HTTP/{version}\r\nHost: server:8081\r\n\r\n"
        return await talk(self.terminals, raw.encode(), address)

    async def post(self, path: str, body: bytes, *, address: str = "192.0.2.7") -> Response:
        """Send a terminal's POST to a path under /iclock/."""
        head = (
            f"POST /iclock/{path} HTTP/1.1\r\nHost: server:8081\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return await talk(self.terminals, head.encode() + body, address)

    async def exchange(
        self, sn: str = "T1", *, address: str = "192.0.2.7", **arguments: str | None
    ) -> Response:
        """Make the initialization exchange of a 2.4.1 terminal; an argument of None is omitted."""
        query = {"options": "all", "pushver": "2.4.1", "language": "69", **arguments}
        text = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
        return await self.get(f"cdata?SN={sn}&{text}", address=address)

    async def api(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Iterable[str] = (f"Authorization: Bearer {TOKEN}",),
        prefix: str = "/api/v1",
    ) -> Response:
        """Send a request to the API; a body of bytes is sent as it is, any other as JSON."""
        content = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            content = msgspec.json.encode(body)
        lines = [f"{method} {prefix}{path} HTTP/1.1", "Host: server", *headers]
        lines.append(f"Content-Length: {len(content)}")
        raw = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
        return await talk(self.manage, raw)

    async def items(self, path: str) -> list[dict[str, Any]]:
        """Return the items of a list of the API."""
        response = await self.api("GET", path)
        assert response.status == 200, response.raw
        listing: Any = response.json
        items: list[dict[str, Any]] = listing["items"]
        return items

    async def settle(self) -> None:
        """Wait until the record handlers of plugins have stored all acknowledged uploads.

        The clock stands still meanwhile, so a failed handler is not retried. `AssertionError` names
        such a handler.
        """
        states = await self.store.read(lambda tx: tx[InboxStore].states())
        for _ in range(_MANY_TURNS):
            if not any(state.waiting for state in states):
                return
            await deferLater(reactor, _TURN_SECONDS)
            states = await self.store.read(lambda tx: tx[InboxStore].states())
            failed = {state.plugin: state.error for state in states if state.error is not None}
            assert not failed, f"record handlers fail: {failed}"
        raise AssertionError(f"record handlers do not return: {[one.plugin for one in states]}")
