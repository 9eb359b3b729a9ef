"""Registry of terminals: admission, changes by other processes, and last-seen times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import attrs
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..clock import wall_clock
from ..interfaces import IAdmissionPolicy, IStore
from ..model import Device, DeviceState, Problem
from ..periodic import PeriodicService
from ..persist.commandschedule import CommandSchedule
from ..persist.devices import DeviceStore
from ..persist.online import OnlineWindow
from ..persist.sessions import SessionStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..protocol.dialect import FIRST_FAMILY
from ..protocol.errors import Refused
from ..protocol.exchange import OPTION_REPLY
from ..protocol.handshake import Hello
from ..protocol.hybrid import Hybrid, negotiate_types
from ..protocol.versions import negotiate
from ..settings.network import Limits
from .families import Families
from .lookups import StoreLookups
from .offsets import OffsetWatch
from .pace import PaceWatch, write_paces
from .places import AddressWatch
from .refusals import Refusal, RefusalLog
from .skew import SkewMeter
from .terminal import REFRESH_EVERY, Ciphers, Terminal, turns
from .unknown import UnknownTerminals

FEED_EVERY = 0.9
"""Seconds between reads of changes made by other processes. Less than `REFRESH_EVERY`, so that
refusals from memory need no reads of their own in between."""
SEEN_EVERY = 5.0
"""Seconds between writes of last-seen times."""
ZONES_EVERY = 60.0
"""Seconds between checks for changed zone offsets and for problems that are over."""

DELAY = int(str(next(f.default for f in OPTION_REPLY.fields if f.wire == "Delay")))
_REFUSALS = {
    DeviceState.PENDING: (
        Refusal.PENDING,
        "This terminal waits for approval by an operator; it keeps its data.",
    ),
    DeviceState.BLOCKED: (Refusal.BLOCKED, "This terminal is blocked by an operator."),
    DeviceState.RETIRED: (Refusal.BLOCKED, "This terminal is retired by an operator."),
}
REFUSED_AS = {state: message for state, (_, message) in _REFUSALS.items()}
"""The reply to a terminal in each state that is not served."""


class Registry(PeriodicService):
    """In-memory cache of terminals; the database is authoritative."""

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
        """Initialize.

        `timezone` is the server's zone, for terminals without their own; `settings` are the
        configured options of all terminals; `owner` names this process.
        """
        super().__init__(clock)
        self.ciphers = ciphers
        self.families = families
        self.refusals = refusals
        self._places = AddressWatch(store, refusals.refuse, self.updated)
        self._paces = PaceWatch(lambda device: self._delay(device.settings))
        self._offsets = OffsetWatch(store, owner, families, self.updated, 2 * ZONES_EVERY)
        self._cursor: int = 0
        self._followed_at = 0
        """Start (ms) of the last successful read of other processes' changes."""
        self._following = DeferredLock()
        self._store = store
        self._settings = settings
        self.timezone = timezone
        """The server's time zone; None if it is not known."""
        self.wall = wall_clock(clock)
        """Returns the time, in seconds since the epoch."""
        self.loaded = False
        """Whether the stored terminals are in memory."""
        self.terminals: dict[str, Terminal] = {}
        """The terminals in memory, by serial number."""
        self._lookups = StoreLookups(store, clock)
        self.unknown = UnknownTerminals(
            store, self._lookups, policy, timezone, limits, refusals, clock, self
        )
        self.heard: dict[int, tuple[int, str | None]] = {}
        """Time (ms) and address of recent requests, by terminal key; not written yet."""
        self._taken: dict[int, tuple[int, int]] = {}
        self.skew = SkewMeter(store, self.updated)
        """Measures the clock skew of terminals."""
        self.every(ZONES_EVERY, self.write_skew, Phrase("Differences of clocks are not stored"))
        self.every(FEED_EVERY, self.follow, Phrase("Changes of other processes wait"))
        self.every(SEEN_EVERY, self._write_seen, Phrase("Last-seen times wait"))
        self.every(
            ZONES_EVERY, self._settle_problems, Phrase("Problems that are over stay for now")
        )
        self.every(ZONES_EVERY, self._renew_moved_offsets, Phrase("Time zones wait"))

    def now(self) -> int:
        """The time, in milliseconds since the epoch."""
        return int(self.wall() * 1000)

    async def finish(self) -> None:
        """Write the pending last-seen times."""
        await self._write_seen()

    def __len__(self) -> int:
        return len(self.terminals)

    def notes(self) -> int:
        """Number of pending notes in memory: last-seen times, request numbers and addresses."""
        return len(self.heard) + len(self._taken) + self._places.notes

    def problem_counts(self) -> Mapping[str, int]:
        """Number of terminals in memory with each problem, by problem code."""
        return Counter(
            problem.code
            for terminal in self.terminals.values()
            for problem in terminal.device.problems
        )

    def cap_due(self, most: int) -> None:
        """Move due times later than `most` (ms) back to `most`."""
        for terminal in self.terminals.values():
            if terminal.next_due is not None:
                terminal.next_due = min(terminal.next_due, most)

    def known(self, sn: str) -> Terminal | None:
        """The terminal with that serial number if it is in memory, else None."""
        return self.terminals.get(sn)

    def at_address(self, address: str) -> list[Terminal]:
        """The terminals in memory whose last request came from an address."""
        return [one for one in self.terminals.values() if one.address == address]

    async def meet(
        self,
        sn: str,
        address: str | None,
        hello: Hello | None = None,
        family: str = FIRST_FAMILY,
    ) -> Terminal:
        """Return the terminal, recording a new one if the admission policy allows it.

        `family` is the family of a new terminal.

        Raises `Refused` if the policy does not record the terminal, or its address is not allowed.
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
            if not self.is_fresh(terminal, self.now()):
                await self.refresh(terminal)
            if not terminal.may_be_at(address):
                raise self.misplaced(terminal, address)
        return terminal

    async def admit(self, sn: str, address: str | None) -> Terminal:
        """Return the terminal if it is approved, or raise `Refused`.

        Memory is enough to serve a terminal. Before a refusal, the store must have been read within
        the last second, because another process may have approved the terminal.
        """
        terminal = await self.meet(sn, address)
        is_approved = terminal.device.state is DeviceState.APPROVED
        if not is_approved and not self.is_fresh(terminal, self.now()):
            await self.refresh(terminal)
        if terminal.device.state is not DeviceState.APPROVED:
            raise self.not_admitted(terminal, address)
        return terminal

    @property
    def is_current(self) -> bool:
        """Whether all terminals and changes were read within the last second.

        If so, a serial number missing from memory is in the store only if it was added within that
        second.
        """
        return self.loaded and 0 <= self.now() - self._followed_at < REFRESH_EVERY

    def is_fresh(self, terminal: Terminal, now: int) -> bool:
        """Whether the terminal, or every one, was read from the store in the second before `now`
        (ms)."""
        if self.loaded and 0 <= now - self._followed_at < REFRESH_EVERY:
            return True
        return 0 <= now - terminal.refreshed_at < REFRESH_EVERY

    def not_admitted(self, terminal: Terminal, address: str | None) -> Refused:
        """Count the refusal of a terminal that is not approved; returns the error to raise."""
        return Refused(self.count_refusal(terminal, address))

    def count_refusal(self, terminal: Terminal, address: str | None) -> str:
        """Count the refusal of a terminal that is not approved; returns the reason in words."""
        reason, message = _REFUSALS[terminal.device.state]
        self.refusals.refuse(reason, terminal.device.sn, address)
        return message

    def misplaced(self, terminal: Terminal, address: str | None) -> Refused:
        """Count the refusal of a terminal at a forbidden address; returns the error to raise."""
        return self._places.refuse(terminal, address, self.now())

    async def refresh(self, terminal: Terminal) -> None:
        """Read a terminal from the store again."""
        terminal.refreshed_at = self.now()
        began = next(turns)
        device, due = await self._lookups.find(terminal.device.sn)
        if device is not None:
            self.unknown.heard(device)
            terminal.update(device)
            if terminal.due_turn < began:
                terminal.set_due(due)

    async def look(self, terminal: Terminal) -> None:
        """Read a terminal again before a request is refused.

        Does nothing within a second after a refusal, when memory is recent enough.
        """
        if not terminal.is_refusing(self.now()):
            await self.refresh(terminal)

    def seen(self, terminal: Terminal, address: str | None, now: int) -> None:
        """Note a request of a terminal at `now` (ms); it is written later, in a batch."""
        if address != terminal.checked:
            self._places.moved(terminal, address, now)
        self.heard[terminal.device.id] = (now, address)

    def took(self, terminal: Terminal, generation: int, number: int) -> None:
        """Note the number of a sealed request that changed nothing.

        It is written with the last-seen times, so that an idle poll costs no write of its own.
        """
        known = self._taken.get(terminal.device.id)
        if known is None or known < (generation, number):
            self._taken[terminal.device.id] = (generation, number)

    def report(
        self,
        terminal: Terminal,
        problem: Problem,
        is_one: Callable[[Device], bool] = lambda device: True,
        *,
        is_logged: bool = True,
    ) -> None:
        """Raise a problem on a terminal that does not have it yet; see `AddressWatch.find`."""
        self._places.find(terminal, problem, is_one, is_logged=is_logged)

    def is_online(self, device: Device) -> bool:
        """Whether a terminal made a request within three polling intervals."""
        seen, _ = self.last_seen(device)
        return seen is not None and seen >= self.online_since(device)

    def polled_since(self, device: Device) -> int:
        """Oldest last-seen time (ms) of a terminal that missed no two polls."""
        return self.now() - 2000 * max(self._delay(device.settings), device.poll_interval or 0)

    def online_window(self) -> OnlineWindow:
        """Which terminals are online now, as far as this process and the store know."""
        window = self._window()
        heard = {
            device.id
            for device in (terminal.device for terminal in self.terminals.values())
            if device.id in self.heard and self.heard[device.id][0] >= window.bound(device)
        }
        return attrs.evolve(window, heard=heard)

    def online_since(self, device: Device) -> int:
        """Oldest last-seen time (ms) at which a terminal is online."""
        return self._window().bound(device)

    def _window(self) -> OnlineWindow:
        return OnlineWindow(self.now(), self._delay({}), int(1000 * SEEN_EVERY))

    def _delay(self, settings: Mapping[str, str | int]) -> int:
        """Polling interval in seconds of a terminal with these settings."""
        return int(settings.get("Delay", self._settings.get("Delay", DELAY)))

    def last_seen(self, device: Device) -> tuple[int | None, str | None]:
        """Last-seen time (ms) and address of a terminal, including unwritten ones."""
        noted = self.heard.get(device.id) or self._places.written(device.id)
        if noted is None or noted[0] < (device.last_seen_at or 0):
            return device.last_seen_at, device.address
        return noted

    def hybrid(self, device: Device) -> Hybrid:
        """The biometric types that a terminal and this server exchange (spec 3.1)."""
        return negotiate_types(
            device.options, device.attributes, {**self._settings, **device.settings}
        )

    def version(self, device: Device) -> str:
        """The negotiated version of a terminal (Appendix 6)."""
        return str(negotiate(device.version or device.push_version, self.ciphers.version(device)))

    def updated(self, device: Device) -> None:
        """Update memory after a change to a terminal is stored."""
        self.unknown.heard(device)
        terminal = self.terminals.get(device.sn)
        if terminal is None:
            self.terminals[device.sn] = Terminal(device, self.ciphers, self.families)
        else:
            terminal.update(device)

    def forget(self, sn: str) -> None:
        """Drop a removed terminal from memory."""
        self.terminals.pop(sn, None)
        self.unknown.forget(sn)

    async def follow(self) -> None:
        """Read the changes of all processes: terminals and due commands.

        The first call loads all terminals, so that each is served as before a restart.
        """
        await self._following.run(self._follow)

    async def _follow(self) -> None:
        cursor, began, now = self._cursor, next(turns), self.now()
        removed, (devices, self._cursor), due = await self._store.read(
            lambda tx: (
                tx[DeviceStore].removed_since(cursor),
                tx[DeviceStore].changed_since(cursor),
                tx[CommandSchedule].all_due(),
            )
        )
        self._followed_at = now
        self.loaded = True
        for sn in removed:
            self.forget(sn)
        for device in devices:
            known = self.terminals.get(device.sn)
            if known is None or known.turn < began:
                # Otherwise this process wrote a newer state after the read began.
                self.updated(device)
        for terminal in self.terminals.values():
            if terminal.due_turn < began:
                # Otherwise this process queued or sent a command after the read began.
                terminal.set_due(due.get(terminal.device.id))

    async def _write_seen(self) -> None:
        by_id = {one.device.id: one for one in self.terminals.values()}
        heard, numbers = dict(self.heard), dict(self._taken)
        # Requests in progress may have noted a terminal after its removal.
        seen = {key: at for key, at in heard.items() if key in by_id}
        taken = {key: number for key, number in numbers.items() if key in by_id}
        self._places.keep(by_id.keys())
        devices = {key: terminal.device for key, terminal in by_id.items()}
        paces = self._paces.note(seen, self._places.written, devices)

        def unit(tx: Transaction) -> tuple[list[tuple[int, int, str | None]], list[Device]]:
            tx[SessionStore].raise_numbers(taken)
            return self._places.write_seen(tx, seen), write_paces(tx, paces)

        if seen or taken:
            elsewhere, changed = await self._store.write(unit)
            self._places.compare(seen, elsewhere, by_id)
            for device in changed:
                self.updated(device)
        # A note stays until it is stored, and stays if a request renewed it in the meantime.
        self.heard = {key: at for key, at in self.heard.items() if heard.get(key) != at}
        self._taken = {key: at for key, at in self._taken.items() if numbers.get(key) != at}

    async def write_skew(self) -> None:
        """Store the measured clock skew of terminals."""
        known = {one.device.id: one.device for one in self.terminals.values()}
        await self.skew.write(known, self.now())

    def _settle_problems(self) -> None:
        self._places.settle(self.terminals.values(), self.now())

    async def _renew_moved_offsets(self) -> None:
        await self._offsets.renew(self.terminals.values(), self.wall())
