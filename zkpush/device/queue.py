"""Command queue: queues commands, leases them to polls and ends them (spec 12, 13)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..interfaces import IStore
from ..model import Caller, Device, Problem
from ..periodic import PeriodicService
from ..persist.commands import CommandStore
from ..persist.commandschedule import CommandSchedule
from ..persist.devices import DeviceStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..problems import ProblemCode
from ..protocol.catalogue import Catalogue
from ..protocol.errors import CommandError
from ..protocol.secrecy import parameter_secrets
from ..settings.features import Commands
from ..values.commands import QueuedCommand
from . import acts
from .changes import check_scopes
from .files import MADE_FILE, base_of
from .functions import FunctionTable
from .intents import Instruction, IntentTable
from .life import LifeEvent, LifeRules, happen
from .modes import REFUSAL, takes_commands
from .privacy import Privacy
from .queries import end_query
from .queueing import BY_DEFAULT, CommandWriter, Delivery, KeyReused
from .registry import Registry
from .terminal import Terminal

DAY = 24 * 3600 * 1000
LEASES_EVERY = 60.0
"""Seconds between checks for leases that end too late."""
OVERDUE_EVERY = 10.0
"""Seconds between checks for commands past their deadline."""
OVERDUE_AT_ONCE = 100
"""Maximum number of overdue commands ended in one unit of work."""
HELD_FOR = 60 * 1000
"""Milliseconds between checks of commands held back until the session is proved."""
_HELD = Phrase("A command that holds a secret waits, and those behind it do.")


class CommandQueue(PeriodicService):
    """Commands of all terminals.

    The store holds their state, which changes by compare-and-set.
    """

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        config: Commands,
        choose: Callable[[str], str],
        reactor: Any,
        privacy: Privacy,
        catalogue: Catalogue,
        functions: FunctionTable,
        intents: IntentTable,
    ) -> None:
        """`choose` picks a random character from a string; it makes command IDs and secrets."""
        super().__init__(reactor)
        self._store = store
        self._registry = registry
        self._config = config
        self.catalogue = catalogue
        self._intents = intents
        self._reactor = reactor
        self._rules = LifeRules(config.attempts, config.lifetime_days * DAY)
        self.writer = CommandWriter(
            choose,
            privacy,
            catalogue,
            functions,
            self._rules.lifetime,
            base_of(config.public_url),
        )
        self._once = frozenset(entry.name for entry in catalogue if not entry.is_repeatable)
        self._leases = {
            entry.name: entry.lease_seconds * 1000 for entry in catalogue if entry.lease_seconds
        }
        self.every(LEASES_EVERY, self.cut_leases, Phrase("Leases that are too long stay for now"))
        self.every(OVERDUE_EVERY, self._give_up, Phrase("Commands whose time is over stay open"))

    async def add(
        self,
        sn: str,
        name: str,
        params: Mapping[str, str],
        idempotency_key: str | None,
        by: Caller | None,
        delivery: Delivery = BY_DEFAULT,
    ) -> QueuedCommand:
        """Queue a command for a terminal.

        The same idempotency key returns the same command. The new command replaces earlier ones
        that set nothing beyond what it sets (`zkpush.device.life`).

        Raises `CommandError` for a command that the protocol does not allow, `LookupError` for an
        unknown terminal, and `KeyReused` if the key was used for another command.
        """
        now = self._registry.now()

        def unit(tx: Transaction) -> QueuedCommand:
            device = _find(tx, sn)
            if idempotency_key is not None:
                before = tx[CommandStore].find(device.id, idempotency_key)
                if before is not None:
                    if (before.command, before.asked) != (name, params):
                        raise KeyReused("This Idempotency-Key was used for another command.")
                    return before
            return self.writer.add(tx, device, name, params, by, delivery, now, idempotency_key)

        queued = await self._store.write(unit)
        self.hurry(queued.device, queued.not_before_at)
        return queued

    async def ask(
        self,
        sn: str,
        intent: object,
        by: Caller | None,
        delivery: Delivery = BY_DEFAULT,
        act: tuple[str, str] | None = None,
    ) -> list[QueuedCommand]:
        """Queue the commands that carry out an intent (`zkpush.device.intents`), all or none.

        `act` is an action and its detail, recorded in the audit log besides the commands.

        Raises `NotPossible` if the terminal cannot carry out the intent, `ScopeNeeded` if the
        caller may not send such a command, and the errors of `add`.
        """
        now = self._registry.now()

        def unit(tx: Transaction) -> list[QueuedCommand]:
            device = _find(tx, sn)
            if act is not None:
                acts.record(tx, by, act[0], f"terminal {sn}", act[1], now)
            return self.ask_thd(tx, device, intent, by, now, delivery)

        queued = await self._store.write(unit)
        for command in queued:
            self.hurry(command.device, command.not_before_at)
        return queued

    def ask_thd(
        self,
        tx: Transaction,
        device: Device,
        intent: object,
        by: Caller | None,
        now: int,
        delivery: Delivery = BY_DEFAULT,
    ) -> list[QueuedCommand]:
        """Queue the commands of an intent as part of a unit of work; see `ask` for the errors.

        Call `hurry` for each command after the commit.
        """
        queued = []
        for one in self._intents.translate(tx, device, intent):
            needed = self.catalogue.find(one.command, device.family).scopes(one.params)
            check_scopes(by, needed, f"This {one.command}")
            queued.append(self.writer.add(tx, device, one.command, one.params, by, delivery, now))
        return queued

    def translate(self, tx: Transaction, device: Device, intent: object) -> Sequence[Instruction]:
        """Return the commands of an intent without queueing them; see `ask` for the errors."""
        return self._intents.translate(tx, device, intent)

    def hurry(self, sn: str, not_before_at: int | None) -> None:
        """Make a new command available to the next poll of its terminal."""
        terminal = self._registry.known(sn)
        if terminal is not None:
            terminal.hurry(not_before_at or 0)

    async def cancel(self, command_id: str, by: Caller | None) -> QueuedCommand | None:
        """Cancel an open command; None if it does not exist or has ended."""
        now = self._registry.now()

        def unit(tx: Transaction) -> QueuedCommand | None:
            command = tx[CommandStore].get(command_id)
            if command is None:
                return None
            ended = happen(tx, command, LifeEvent.CANCELLED, now)
            if ended is not None:
                detail = f"{command_id}: {ended.command}"
                acts.record(tx, by, acts.CANCEL_COMMAND, f"terminal {ended.device}", detail, now)
            return ended

        return await self._store.write(unit)

    def poll(
        self, terminal: Terminal, *, is_proved: bool = True
    ) -> bytes | Coroutine[Deferred[Any], Any, bytes]:
        """The reply to a poll (spec 12): the commands that are due, or `OK`.

        An unproved session receives only the commands ahead of the first one that holds a secret,
        so that the order is kept. A poll without work is answered at once, without a query.
        """
        if not self.has_work(terminal) or not takes_commands(terminal.device):
            return terminal.family.nothing
        if not is_proved and self._registry.now() < terminal.held_until:
            return terminal.family.nothing
        return self._send(terminal, is_proved=is_proved)

    def has_work(self, terminal: Terminal) -> bool:
        """Whether a command for the terminal is due now."""
        return terminal.next_due is not None and terminal.next_due <= self._registry.now()

    async def _send(self, terminal: Terminal, *, is_proved: bool) -> bytes:
        """Lease the commands that are due and return their lines."""
        now = self._registry.now()
        device, config = terminal.device, self._config
        counted: dict[str, int | None] = {}

        def unit(tx: Transaction) -> tuple[bytes, int | None, bool, QueuedCommand | None]:
            is_held = False
            found = tx[CommandSchedule].due(device.id, now, config.batch_count, self._once)
            due = self._sendable(tx, found, now, tx[CommandStore].overtaken(device.id, found))
            if not is_proved:
                first = next((i for i, one in enumerate(due) if self._holds_secrets(one)), None)
                is_held, due = first is not None, due[:first]
            new = next((i for i, one in enumerate(due) if self._is_uncounted(one, counted)), None)
            if new == 0:
                return b"", None, is_held, due[0]
            batch, body = self._batch(due[:new], terminal, counted)
            for seconds in sorted({self._lease_seconds(one) for one in batch}):
                leased = [one for one in batch if self._lease_seconds(one) == seconds]
                tx[CommandStore].lease(leased, now + seconds * 1000, now)
            tx[CommandStore].expect({one.id: counted.get(one.id) for one in batch})
            return body, tx[CommandSchedule].next_due(device.id), is_held, None

        body, due, is_held, uncounted = await self._store.write(unit)
        while uncounted is not None:
            counted[uncounted.id] = await self._count(device, uncounted)
            body, due, is_held, uncounted = await self._store.write(unit)
        terminal.set_due(due)
        if is_held:
            terminal.held_until = now + HELD_FOR
            self._registry.report(terminal, Problem(ProblemCode.SECRETS_WAIT, _HELD, now))
        return body or terminal.family.nothing

    def _sendable(
        self,
        tx: Transaction,
        due: Sequence[QueuedCommand],
        now: int,
        overtaken: Collection[str] = (),
    ) -> list[QueuedCommand]:
        """Return the due commands to send now, and end the others.

        `overtaken` holds the IDs of commands that must not be sent after a later one.
        """
        sendable = []
        for queued in due:
            entry = self.catalogue.get(queued.command, queued.family)
            is_repeatable = entry is not None and entry.is_repeatable
            event = self._rules.due(queued, now, is_repeatable=is_repeatable)
            if event is LifeEvent.TAKEN and queued.id in overtaken:
                event = LifeEvent.OVERTAKEN
            if event is LifeEvent.TAKEN:
                sendable.append(queued)
            elif event is LifeEvent.GATHERED:
                # The terminal sends the records of a QUERY before its next poll.
                end_query(tx, queued, queued.return_code, queued.records, now)
            else:
                happen(tx, queued, event, now)
        return sendable

    async def _give_up(self) -> None:
        count = await self.end_overdue()
        if count:
            self._log.warn("{count} commands were given up: their time was over", count=count)

    async def end_overdue(self) -> int:
        """End the overdue commands of all terminals; returns their number."""
        now, total = self._registry.now(), 0

        which = (now, self._rules.lifetime, self._rules.attempts, self._once)

        def unit(tx: Transaction) -> int:
            found = tx[CommandStore].overdue(*which, OVERDUE_AT_ONCE)
            return len(found) - len(self._sendable(tx, found, now))

        while await self._store.read(lambda tx: tx[CommandStore].is_overdue(*which)):
            ended = await self._store.write(unit)
            if not ended:  # another process ended them, or none is overdue
                break
            total += ended
        return total

    def _lease_seconds(self, command: QueuedCommand) -> int:
        """The lease of a command, in seconds."""
        own = self._leases.get(command.command)
        return self._config.lease_seconds if own is None else own // 1000

    async def cut_leases(self) -> None:
        """End leases longer than any made now, which a clock set back leaves behind."""
        now, lease = self._registry.now(), self._config.lease_seconds * 1000
        await self._store.write(lambda tx: tx[CommandSchedule].cut_leases(now, lease, self._leases))
        self._registry.cap_due(now + lease)

    def clock_jumped(self) -> None:
        """Check leases at once."""
        Deferred.fromCoroutine(self.cut_leases()).addErrback(
            lambda failure: self._log.failure("Leases of commands are not looked at", failure)
        )

    def _is_uncounted(self, command: QueuedCommand, counted: Mapping[str, int | None]) -> bool:
        """Whether the lines of a command's file are to be counted before it is sent."""
        is_made = command.file is not None and command.file.id == MADE_FILE
        return is_made and command.id not in counted

    async def _count(self, device: Device, command: QueuedCommand) -> int | None:
        """Count the lines of a file that is made when it is fetched, on a thread that reads."""
        count = self.writer.functions.of(command.family).counters[command.command]
        return await self._store.read(lambda tx: count(tx, device, command.asked))

    def _batch(
        self,
        due: Sequence[QueuedCommand],
        terminal: Terminal,
        counted: Mapping[str, int | None],
    ) -> tuple[list[QueuedCommand], bytes]:
        """The next batch in order, and its bytes: up to `batch_bytes`, or a single command."""
        batch: list[QueuedCommand] = []
        lines = b""
        write, encoding = terminal.family.write, terminal.dialect.encoding
        for queued in due:
            entry = self.catalogue.get(queued.command, queued.family)
            is_utf8 = entry is not None and entry.utf8  # regardless of the terminal's encoding
            text, lines_of_file = queued.text, counted.get(queued.id)
            if entry is not None and lines_of_file is not None:
                text = f"{text}\t{entry.count_parameter}={lines_of_file}"
            line = write(queued.id, text, "utf-8" if is_utf8 else encoding)
            if batch and len(lines) + len(line) > self._config.batch_bytes:
                break
            batch.append(queued)
            lines += line
            if entry is None or entry.ends_batch:
                break
        return batch, lines

    def _holds_secrets(self, command: QueuedCommand) -> bool:
        """Whether a command holds data only its terminal may read: a secret or a file URL."""
        entry = self.catalogue.get(command.command, command.family)
        return command.file is not None or bool(parameter_secrets(entry, command.params))


def _find(tx: Transaction, sn: str) -> Device:
    device = tx[DeviceStore].find(sn)
    if device is None:
        raise LookupError(Phrase("There is no terminal %(sn)s.", sn=sn))
    if not takes_commands(device):
        raise CommandError(REFUSAL)
    return device
