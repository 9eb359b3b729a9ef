"""The initialization information exchange (5) with one terminal."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

from twisted.logger import Logger

from ..interfaces import IStore, ITransaction
from ..model import Device, DeviceState, Problem
from ..protocol.errors import Refused
from ..protocol.fields import Table
from ..protocol.handshake import Hello, encode_options
from ..protocol.times import zone_option
from ..protocol.versions import BASELINE, parse_version
from .registry import KEY_CHANGED, Registry
from .session import Session
from .terminal import Terminal


class Exchange:
    """Keeps what terminals say of themselves, and tells them what to do."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        tables: Iterable[Table],
        settings: Mapping[str, str | int],
    ) -> None:
        self._store = store
        self._registry = registry
        self._tables = tuple(tables)
        self._settings = settings

    async def answer(self, sn: str, hello: Hello, address: str | None) -> bytes:
        """Make the exchange and give the option reply; `Refused` if the terminal is not admitted.

        Of a terminal that is not approved, nothing is kept but the digest of its pushcommkey: that
        is what an operator approves.
        """
        terminal = await self._registry.meet(sn, address)
        await self._registry.refresh(terminal)
        offered = _digest(hello.comm_key)
        await self._check_key(terminal, offered)
        terminal = await self._registry.admit(sn, address)
        if hello.push_version and parse_version(hello.push_version) is None:
            self._log.warn(
                "Terminal {sn} sent a pushver that cannot be read; taken for {baseline}",
                sn=sn,
                baseline=str(BASELINE),
            )
        time_zone = zone_option(terminal.device.timezone, self._registry.now() / 1000)
        key = terminal.device.id

        def unit(tx: ITransaction) -> tuple[Device, dict[str, str]]:
            before = tx.devices.get(key)
            session = Session(before.session)
            session.exchanged()
            device = tx.devices.exchanged(
                key,
                hello,
                {
                    "session": session.state,
                    "offered_comm_key": offered,
                    "comm_key": before.comm_key or offered,
                    "told_time_zone": time_zone,
                    "address": address,
                },
            )
            stamps = tx.stamps.of(key)
            tx.stamps.told(key)
            return device, stamps

        device, stamps = await self._store.write(unit)
        terminal.update(device)
        return encode_options(
            sn,
            settings={**self._settings, **device.settings},
            stamps=stamps,
            time_zone=time_zone,
            tables=self._tables,
            old_names=hello.push_version is None,
        )

    async def _check_key(self, terminal: Terminal, offered: str | None) -> None:
        """Compare the pushcommkey with the one that was approved; `Refused` if it is another.

        What is offered is kept for the operator who approves the terminal, or approves it again.
        """
        device = terminal.device
        expected = device.comm_key
        changed = expected is not None and not hmac.compare_digest(expected, offered or "")
        if device.state is DeviceState.BLOCKED or (
            device.state is DeviceState.APPROVED and not changed
        ):
            return
        known = any(problem.code == KEY_CHANGED for problem in device.problems)
        if offered != device.offered_comm_key or (changed and not known):
            problem = Problem(KEY_CHANGED, _KEY_CHANGED_DETAIL, self._registry.now())

            def unit(tx: ITransaction) -> Device:
                if changed:
                    tx.devices.raise_problem(device.id, problem)
                return tx.devices.change(device.id, {"offered_comm_key": offered})

            terminal.update(await self._store.write(unit))
        if changed:
            self._log.error("Terminal {sn} came with another pushcommkey", sn=device.sn)
            raise Refused("This terminal's pushcommkey has changed; an operator has to approve it.")


_KEY_CHANGED_DETAIL = (
    "The terminal's pushcommkey is not the one it was approved with. If its main board was "
    "replaced, approve it again; if not, something else uses its serial number."
)


def _digest(comm_key: str | None) -> str | None:
    """What is kept of a pushcommkey: enough to know it again, not enough to send it."""
    return None if comm_key is None else hashlib.sha256(comm_key.encode()).hexdigest()
