"""The registry: every terminal of this process, who is let in, and when each was last seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..clock import wall_clock
from ..interfaces import IAdmissionPolicy, IStore
from ..model import Device, DeviceState, Problem, SessionState
from ..periodic import PeriodicService
from ..persist.commands import CommandStore
from ..persist.devices import DeviceStore
from ..persist.leases import LeaseStore
from ..persist.sessions import SessionStore
from ..persist.transaction import Transaction
from ..protocol.dialect import FIRST_FAMILY
from ..protocol.errors import Refused
from ..protocol.exchange import OPTION_REPLY
from ..protocol.handshake import Hello
from ..protocol.hybrid import Hybrid, negotiate_types
from ..protocol.times import zone_option
from ..protocol.versions import negotiate
from ..settings.network import Limits
from .families import Families
from .lookups import StoreLookups
from .places import AddressWatch
from .refusals import Refusal, RefusalLog
from .session import renewed
from .skew import SkewMeter
from .terminal import REFRESH_EVERY, Ciphers, Terminal, turns
from .unknown import UnknownTerminals

FEED_EVERY = 1.0
"""Seconds between two looks at what other processes have changed."""
SEEN_EVERY = 5.0
"""Seconds between two writes of when terminals were last seen."""
ZONES_EVERY = 60.0
"""Seconds between two looks for zones whose offset has changed, and problems that are over."""

DELAY = int(str(next(f.default for f in OPTION_REPLY.fields if f.wire == "Delay")))
_TELLS_AGAIN = frozenset({SessionState.NEW, SessionState.STALE, SessionState.OUTDATED})
"""In which states of its session a terminal is told everything again anyway."""
_REFUSALS = {
    DeviceState.PENDING: (
        Refusal.PENDING,
        "This terminal waits for approval by an operator; it keeps its data.",
    ),
    DeviceState.BLOCKED: (Refusal.BLOCKED, "This terminal is blocked by an operator."),
}


class Registry(PeriodicService):
    """Knows the terminals; everything about them is in the store, and comes from there."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        policy: IAdmissionPolicy,
        timezone: str | None,
        settings: Mapping[str, str | int],
        clock: IReactorTime,
        owner: str,
        ciphers: Ciphers,
        families: Families,
        limits: Limits,
        refusals: RefusalLog,
    ) -> None:
        """`timezone` is that of terminals that have none of their own, if it is known; `settings`
        are the configured options of all terminals; `owner` names this process.
        """
        super().__init__(clock)
        self.ciphers = ciphers
        self.families = families
        self.refusals = refusals
        self._places = AddressWatch(store, refusals.refuse, self.updated)
        self._owner = owner
        self._cursor: int = 0
        self._followed_at = 0
        """When (ms) the last look at what was changed began, of those that succeeded."""
        self._following = DeferredLock()
        self._store = store
        self._settings = settings
        self.timezone = timezone
        """The server's zone; None if it is not known."""
        self.wall = wall_clock(clock)
        """Returns the time, in seconds since the epoch."""
        self.loaded = False
        """Whether the stored terminals are in memory."""
        self.terminals: dict[str, Terminal] = {}
        """Those that this process has met, by their serial numbers."""
        self._lookups = StoreLookups(store, clock)
        self.unknown = UnknownTerminals(
            store, self._lookups, policy, timezone, limits, refusals, clock, self
        )
        self.heard: dict[int, tuple[int, str | None]] = {}
        """When (ms) and where terminals were heard of, by their keys; it is written soon."""
        self._taken: dict[int, tuple[int, int]] = {}
        self.skew = SkewMeter(store, self.updated)
        """Measures the clocks of terminals."""
        self.every(ZONES_EVERY, self.write_skew, "Differences of clocks are not stored")
        self.every(FEED_EVERY, self.follow, "Changes of other processes wait")
        self.every(SEEN_EVERY, self._write_seen, "Last-seen times wait")
        self.every(ZONES_EVERY, self._settle_problems, "Problems that are over stay for now")
        self.every(ZONES_EVERY, self._renew_moved_zones, "Time zones wait")

    def now(self) -> int:
        """The time, in milliseconds since the epoch."""
        return int(self.wall() * 1000)

    async def finish(self) -> None:
        """Write what is not written yet."""
        await self._write_seen()

    def __len__(self) -> int:
        return len(self.terminals)

    def notes(self) -> int:
        """How many notes of terminals there are in memory: times, numbers and addresses."""
        return len(self.heard) + len(self._taken) + self._places.notes

    def problem_counts(self) -> Mapping[str, int]:
        """How many terminals of this process have each problem, by its code."""
        return Counter(
            problem.code
            for terminal in self.terminals.values()
            for problem in terminal.device.problems
        )

    def cap_due(self, most: int) -> None:
        """Let no terminal wait for longer than an instant (ms) to be sent what it is due."""
        for terminal in self.terminals.values():
            if terminal.next_due is not None:
                terminal.next_due = min(terminal.next_due, most)

    def known(self, sn: str) -> Terminal | None:
        """The terminal of that serial number, if this process has met it."""
        return self.terminals.get(sn)

    def at_address(self, address: str) -> list[Terminal]:
        """The terminals that were last heard of at an address, as far as this process knows."""
        return [one for one in self.terminals.values() if one.address == address]

    async def meet(
        self,
        sn: str,
        address: str | None,
        hello: Hello | None = None,
        family: str = FIRST_FAMILY,
    ) -> Terminal:
        """The terminal of that serial number, recorded if it is new and the policy says so.

        `family` is that of a new one.

        `Refused` if the policy does not record it, or it is where it may not be.
        """
        terminal = self.terminals.get(sn)
        if terminal is None:
            device, due = await self.unknown.find(sn, address, hello, family)
            terminal = self.terminals.get(sn)
            if terminal is None:
                self.updated(device)
                terminal = self.terminals[sn]
                terminal.set_due(due)
                terminal.refreshed_at = self.now()
        if not terminal.may_be_at(address):
            if not self.is_fresh(terminal):
                await self.refresh(terminal)
            if not terminal.may_be_at(address):
                raise self.misplaced(terminal, address)
        return terminal

    async def admit(self, sn: str, address: str | None) -> Terminal:
        """The terminal of that serial number, if it is approved; `Refused` if not.

        What this process remembers is enough to serve a terminal. To turn it away, the store was
        asked within a second: another process may have approved it.
        """
        terminal = await self.meet(sn, address)
        if terminal.device.state is not DeviceState.APPROVED and not self.is_fresh(terminal):
            await self.refresh(terminal)
        if terminal.device.state is not DeviceState.APPROVED:
            raise self.not_admitted(terminal, address)
        return terminal

    @property
    def is_current(self) -> bool:
        """Whether this process has read all terminals, and their changes, within the last second.

        A serial number that it does not know is in the store only if it came within that second.
        """
        return self.loaded and 0 <= self.now() - self._followed_at < REFRESH_EVERY

    def is_fresh(self, terminal: Terminal) -> bool:
        """Whether the store was asked about a terminal, or all, within the last second."""
        return self.is_current or 0 <= self.now() - terminal.refreshed_at < REFRESH_EVERY

    def not_admitted(self, terminal: Terminal, address: str | None) -> Refused:
        """Note that a terminal is not approved; the error to raise."""
        reason, message = _REFUSALS[terminal.device.state]
        self.refusals.refuse(reason, terminal.device.sn, address)
        return Refused(message)

    def misplaced(self, terminal: Terminal, address: str | None) -> Refused:
        """Note that a terminal is where it may not be; the error to raise."""
        return self._places.refuse(terminal, address, self.now())

    async def refresh(self, terminal: Terminal) -> None:
        """Take over what the store says of a terminal now."""
        terminal.refreshed_at = self.now()
        began = next(turns)
        device, due = await self._lookups.find(terminal.device.sn)
        if device is not None:
            self.unknown.heard(device)
            terminal.update(device)
            if terminal.due_turn < began:
                terminal.set_due(due)

    async def look(self, terminal: Terminal) -> None:
        """Take over what the store says of a terminal before a request of it is refused.

        Not again within a second after a refusal: what is in memory is enough then.
        """
        if not terminal.is_refusing(self.now()):
            await self.refresh(terminal)

    def seen(self, terminal: Terminal, address: str | None) -> None:
        """Note that a terminal was heard of; it is written with others, a little later."""
        now = self.now()
        if address != terminal.checked:
            self._places.moved(terminal, address, now)
        self.heard[terminal.device.id] = (now, address)

    def took(self, terminal: Terminal, generation: int, number: int) -> None:
        """Note that a sealed request changed nothing, and that its number is taken.

        It is written with the last-seen times: a poll with nothing to do costs no write of its own.
        """
        known = self._taken.get(terminal.device.id)
        if known is None or known < (generation, number):
            self._taken[terminal.device.id] = (generation, number)

    def report(
        self,
        terminal: Terminal,
        problem: Problem,
        is_one: Callable[[Device], bool] = lambda device: True,
    ) -> None:
        """Put a problem on a terminal, unless it has it already; see `AddressWatch.find`."""
        self._places.find(terminal, problem, is_one)

    def is_online(self, device: Device) -> bool:
        """Whether a terminal was heard of within the time of three polls."""
        seen, _ = self.last_seen(device)
        return seen is not None and seen >= self.online_since(device.settings)

    def online_since(self, settings: Mapping[str, str | int] = {}) -> int:
        """Since when (ms) a terminal with these settings has been heard of if it is online."""
        delay = int(settings.get("Delay", self._settings.get("Delay", DELAY)))
        return int(self.now() - 1000 * (3 * delay + SEEN_EVERY))

    def last_seen(self, device: Device) -> tuple[int | None, str | None]:
        """When (ms) and from where a terminal was last heard of, also if not written yet."""
        return self.heard.get(device.id, (device.last_seen_at, device.address))

    def hybrid(self, device: Device) -> Hybrid:
        """The biometric types that a terminal and this server exchange (3.1)."""
        return negotiate_types(
            device.options, device.attributes, {**self._settings, **device.settings}
        )

    def version(self, device: Device) -> str:
        """The negotiated version of a terminal (Appendix 6)."""
        return str(negotiate(device.version or device.push_version, self.ciphers.version(device)))

    def updated(self, device: Device) -> None:
        """Take over what was written to the store about a terminal."""
        self.unknown.heard(device)
        terminal = self.terminals.get(device.sn)
        if terminal is None:
            self.terminals[device.sn] = Terminal(device, self.ciphers, self.families)
        else:
            terminal.update(device)

    def forget(self, sn: str) -> None:
        """Drop what is remembered of a terminal that is removed, here or by another process."""
        self.terminals.pop(sn, None)
        self.unknown.forget(sn)

    async def follow(self) -> None:
        """Take over what any process has changed: terminals, and which of them have work.

        The first time, this loads all terminals, so that each is served as before a restart.
        """
        await self._following.run(self._follow)

    async def _follow(self) -> None:
        cursor, began, now = self._cursor, next(turns), self.now()
        removed, (devices, self._cursor), due = await self._store.read(
            lambda tx: (
                tx[DeviceStore].removed_since(cursor),
                tx[DeviceStore].changed_since(cursor),
                tx[CommandStore].all_due(),
            )
        )
        self._followed_at = now
        self.loaded = True
        for sn in removed:
            self.forget(sn)
        for device in devices:
            known = self.terminals.get(device.sn)
            if known is None or known.turn < began:
                # Else this process has written something newer since it asked.
                self.updated(device)
        for terminal in self.terminals.values():
            if terminal.due_turn < began:
                # Else this process has queued or sent a command since it asked.
                terminal.set_due(due.get(terminal.device.id))

    async def _write_seen(self) -> None:
        by_id = {one.device.id: one for one in self.terminals.values()}
        # A request that was under way when its terminal was removed has noted it again.
        seen = {key: at for key, at in self.heard.items() if key in by_id}
        taken = {key: number for key, number in self._taken.items() if key in by_id}
        self.heard, self._taken = {}, {}
        self._places.keep(by_id.keys())

        def unit(tx: Transaction) -> list[tuple[int, int, str | None]]:
            tx[SessionStore].raise_numbers(taken)
            return self._places.write_seen(tx, seen)

        if seen or taken:
            try:
                elsewhere = await self._store.write(unit)
            except BaseException:
                self.heard = {**seen, **self.heard}
                self._taken = {**taken, **self._taken}
                raise
            self._places.compare(seen, elsewhere, by_id)

    async def write_skew(self) -> None:
        """Store by how much the clocks of terminals are off."""
        known = {one.device.id: one.device for one in self.terminals.values()}
        await self.skew.write(known, self.now())

    def _settle_problems(self) -> None:
        self._places.settle(self.terminals.values(), self.now())

    async def _renew_moved_zones(self) -> None:
        """Terminals know no daylight saving: when an offset changes, they have to be told (5)."""
        now = self.wall()
        offsets: dict[str | None, str] = {}
        moved = []
        for terminal in self.terminals.values():
            zone = terminal.device.timezone
            offset = offsets.get(zone) or offsets.setdefault(zone, zone_option(zone, now))
            if (
                terminal.session.state not in _TELLS_AGAIN
                and terminal.device.told_time_zone != offset
            ):
                moved.append(terminal)
        if not moved:
            return

        now_ms, until = self.now(), self.now() + int(2 * ZONES_EVERY * 1000)

        def unit(tx: Transaction) -> list[Device]:
            if not tx[LeaseStore].hold("zones", self._owner, until, now_ms):
                return []
            devices = [tx[DeviceStore].get(terminal.device.id) for terminal in moved]
            return [
                tx[DeviceStore].change(
                    device.id,
                    {"session": renewed(self.families.of(device).session, device.session)},
                )
                for device in devices
            ]

        for device in await self._store.write(unit):
            self.updated(device)
