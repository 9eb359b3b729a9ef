"""The way of a command: queued, leased to a poll, answered, and its effects (12, 13)."""

from __future__ import annotations

import string
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import msgspec
from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..config import Commands
from ..interfaces import IStore
from ..model import (
    Caller,
    CommandFile,
    CommandState,
    Device,
    NewCommand,
    Problem,
    QueuedCommand,
    SealedRejects,
)
from ..periodic import PeriodicService
from ..persist.audit import AuditStore
from ..persist.commands import CommandStore
from ..persist.devices import DeviceStore
from ..persist.files import FileStore
from ..persist.rejects import RejectStore
from ..persist.transaction import Transaction
from ..problems import ProblemCode
from ..protocol.catalogue import Catalogue
from ..protocol.codes import succeeded
from ..protocol.commands import command_text, encode_command
from ..protocol.errors import CommandError
from ..protocol.fields import Command, Writing
from ..protocol.replies import CommandReply, decode_replies
from ..protocol.secrecy import parameter_secrets
from . import acts
from .files import (
    file_named,
    new_secret,
    reference,
    upgrade_facts,
    url_of,
)
from .functions import CommandFunctions
from .privacy import Privacy
from .queries import end_query
from .registry import Registry
from .terminal import Terminal

NOTHING = b"OK"
DAY = 24 * 3600 * 1000
OLD_EVERY = 60.0
"""Seconds between two looks for commands that are too old."""
MOST_OLD = 1000
"""Most commands that are ended at once because they are old."""
SHORT_ANSWER = 2 * 1024
"""Bytes of the longest body of answers that is decoded on the reactor."""
ANSWERS_AT_ONCE = 100
"""Answers that are stored in one unit of work."""
HELD_FOR = 60 * 1000
"""Milliseconds between two looks at commands that wait for a session that proves itself."""
_HELD = "A command that holds a secret waits, and those behind it do."
_DIGITS = string.digits + string.ascii_lowercase
_RANDOM_DIGITS = 6


class KeyReused(Exception):
    """An idempotency key came with another command than before."""


class CommandQueue(PeriodicService):
    """The commands of all terminals; their state is in the store, changed by compare-and-set."""

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
        functions: CommandFunctions,
    ) -> None:
        """`choose` picks a character at random, for ids, which must not repeat, and secrets."""
        super().__init__(reactor)
        self._store = store
        self._registry = registry
        self._config = config
        self._choose = choose
        self._privacy = privacy
        self.catalogue = catalogue
        self._functions = functions
        self._reactor = reactor
        self.every(OLD_EVERY, self.cut_leases, "Leases that are too long stay for now")
        self.every(OLD_EVERY, self._give_up_old, "Old commands stay for now")

    async def add(
        self,
        sn: str,
        name: str,
        params: Mapping[str, str],
        idempotency_key: str | None,
        by: Caller | None,
    ) -> QueuedCommand:
        """Queue a command for a terminal; the same key again gives the same command.

        `CommandError` if the protocol does not have it so; `LookupError` for an unknown terminal;
        `KeyReused` if the key was used for another command.
        """
        self._privacy.check(self.catalogue.find(name), params)
        now = self._registry.now()
        command_id, secret = self._new_id(now), new_secret(self._choose)

        def unit(tx: Transaction) -> QueuedCommand:
            device = tx[DeviceStore].find(sn)
            if device is None:
                raise LookupError(f"There is no terminal {sn}.")
            if idempotency_key is not None:
                before = tx[CommandStore].find(device.id, idempotency_key)
                if before is not None:
                    if (before.command, before.asked) != (name, params):
                        raise KeyReused("This Idempotency-Key was used for another command.")
                    return before
            command = self.catalogue.validate(name, params, device.dialect)
            sent = params
            if command.is_prepared:
                prepare = self._functions.prepares[name]
                sent = prepare(tx, device, params, command_id, now)
            text, file = _written(tx, command, sent, command_id, secret)
            new = NewCommand(
                id=command_id,
                command=name,
                params=sent,
                asked=params,
                text=text,
                file=file,
                idempotency_key=idempotency_key,
            )
            detail = f"{command_id}: {acts.command_detail(command, params, tx[AuditStore].person)}"
            acts.record(tx, by, acts.QUEUE_COMMAND, f"terminal {sn}", detail, now)
            return tx[CommandStore].add(device.id, new, now)

        queued = await self._store.write(unit)
        terminal = self._registry.known(sn)
        if terminal is not None:
            terminal.next_due = 0
        return queued

    async def cancel(self, command_id: str, by: Caller | None) -> QueuedCommand | None:
        """End a command that is not ended yet; None if there is no such command, or it is."""
        now = self._registry.now()

        def unit(tx: Transaction) -> QueuedCommand | None:
            command = tx[CommandStore].get(command_id)
            if command is None:
                return None
            ended = tx[CommandStore].finish(command, CommandState.CANCELLED, None, None, now)
            if ended is not None:
                detail = f"{command_id}: {ended.command}"
                acts.record(tx, by, acts.CANCEL_COMMAND, f"terminal {ended.device}", detail, now)
            return ended

        return await self._store.write(unit)

    def poll(
        self, terminal: Terminal, *, is_proved: bool = True
    ) -> bytes | Coroutine[Deferred[Any], Any, bytes]:
        """The reply to a poll (12): the commands that are due, or `OK`.

        A session that is not proved gets those before the first one that holds a secret: their
        order is kept. A poll with nothing to do is answered at once, and does not touch the
        database.
        """
        if not self.has_work(terminal):
            return NOTHING
        if not is_proved and self._registry.now() < terminal.held_until:
            return NOTHING
        return self._send(terminal, is_proved=is_proved)

    def has_work(self, terminal: Terminal) -> bool:
        """Whether there is something to send to a terminal now."""
        return terminal.next_due is not None and terminal.next_due <= self._registry.now()

    async def _send(self, terminal: Terminal, *, is_proved: bool) -> bytes:
        """Lease the commands that are due, and give their lines."""
        now = self._registry.now()
        device, config = terminal.device, self._config
        encoding = terminal.dialect.encoding

        def unit(tx: Transaction) -> tuple[bytes, int | None, bool]:
            is_held = False
            tx[CommandStore].expire(device.id, now, config.attempts)
            due = []
            for queued in tx[CommandStore].due(device.id, now, config.batch_count):
                if queued.return_code is None:
                    due.append(queued)
                else:  # a QUERY: what the terminal had to send was sent before it asked again
                    end_query(tx, queued, queued.records, now)
            if not is_proved:
                first = next((i for i, one in enumerate(due) if self._holds_secrets(one)), None)
                is_held, due = first is not None, due[:first]
            batch, body = self._batch(due, encoding)
            tx[CommandStore].lease(batch, now + config.lease_seconds * 1000, now)
            return body, tx[CommandStore].next_due(device.id), is_held

        body, terminal.next_due, is_held = await self._store.write(unit)
        if is_held:
            terminal.held_until = now + HELD_FOR
            self._registry.report(terminal, Problem(ProblemCode.SECRETS_WAIT, _HELD, now))
        return body or NOTHING

    async def answer(self, terminal: Terminal, body: bytes) -> None:
        """Take what a terminal says of commands (13), with its effects.

        A late, doubled or foreign answer changes nothing. What cannot be read is kept as a reject.
        """
        device, now = terminal.device, self._registry.now()

        def decode() -> tuple[list[CommandReply], SealedRejects | None]:
            said, rejects = decode_replies(body, terminal.dialect.encoding)
            replies = [self._privacy.kept_reply(reply) for reply in said]
            kept = self._privacy.kept_rejects(rejects)
            return replies, self._store.seal_rejects(device.id, kept, now)

        if len(body) <= SHORT_ANSWER:
            replies, rejects = decode()
        else:
            replies, rejects = await threads.deferToThreadPool(
                self._reactor, self._reactor.getThreadPool(), decode
            )
        unknown = 0
        # The rejects are stored with the first answers, and the body is acknowledged with the last.
        for start in range(0, max(1, len(replies)), ANSWERS_AT_ONCE):
            some = replies[start : start + ANSWERS_AT_ONCE]
            unknown += await self._take_some(terminal, some, rejects if start == 0 else None, now)
        if unknown:
            self._log.info(
                "Terminal {sn} answered {count} commands that it has not open",
                sn=device.sn,
                count=unknown,
            )

    async def _take_some(
        self,
        terminal: Terminal,
        replies: Sequence[CommandReply],
        rejects: SealedRejects | None,
        now: int,
    ) -> int:
        """Store some answers and rejects in one unit of work; returns how many were not awaited.

        Other terminals are served between the units of a long body. What is sent again because a
        later unit failed changes nothing.
        """
        device = terminal.device

        def unit(tx: Transaction) -> tuple[Device | None, int | None, int]:
            known = tx[CommandStore].open_among(device.id, [reply.id for reply in replies])
            unknown, has_effects = 0, False
            for reply in replies:
                command = known.pop(reply.id, None)  # a second answer to it changes nothing
                if command is None or not self._take(tx, device, command, reply, now):
                    unknown += 1
                elif command.command in self._functions.effects:
                    has_effects = True
            if rejects is not None:
                tx[RejectStore].add_sealed(rejects)
            changed = tx[DeviceStore].get(device.id) if has_effects else None
            return changed, tx[CommandStore].next_due(device.id), unknown

        changed, terminal.next_due, unknown = await self._store.write(unit)
        if changed is not None:
            terminal.update(changed)
        return unknown

    def _take(
        self,
        tx: Transaction,
        device: Device,
        command: QueuedCommand,
        reply: CommandReply,
        now: int,
    ) -> bool:
        """End an open command with its answer and its effect; False if it has ended meanwhile."""
        if not succeeded(command.command, reply.return_code):
            state = CommandState.FAILED
        elif command.command not in self._functions.matchers:
            state = CommandState.DONE
        else:
            tx[CommandStore].answered(command, reply.return_code, now)
            if command.records:
                answered = msgspec.structs.replace(command, return_code=reply.return_code)
                end_query(tx, answered, command.records, now)
            return True
        # Of a damaged command, the parameters that its effect needs are lost.
        effect = None if command.damaged else self._functions.effects.get(command.command)
        result = (
            dict(reply.values) if effect is None else effect(tx, device, command, reply, now)
        ) or None
        return tx[CommandStore].finish(command, state, reply.return_code, result, now) is not None

    async def _give_up_old(self) -> None:
        count = await self.expire_old()
        if count:
            self._log.warn("{count} commands were too old, and are given up", count=count)

    async def cut_leases(self) -> None:
        """End leases that run out later than any that is made now: the clock was set back."""
        most = self._registry.now() + self._config.lease_seconds * 1000
        await self._store.write(lambda tx: tx[CommandStore].cut_leases(most))
        self._registry.cap_due(most)

    def clock_jumped(self) -> None:
        """Look at leases at once."""
        Deferred.fromCoroutine(self.cut_leases()).addErrback(
            lambda failure: self._log.failure("Leases of commands are not looked at", failure)
        )

    async def expire_old(self) -> int:
        """End the commands that are older than the configured lifetime, of whichever terminal."""
        now = self._registry.now()
        before = now - self._config.lifetime_days * DAY
        return await self._store.write(
            lambda tx: tx[CommandStore].expire_old(before, now, MOST_OLD)
        )

    def _batch(
        self, due: Sequence[QueuedCommand], encoding: str
    ) -> tuple[list[QueuedCommand], bytes]:
        """The commands that go together, in order: up to the configured bytes, or one alone."""
        batch: list[QueuedCommand] = []
        lines = b""
        for queued in due:
            entry = self.catalogue.get(queued.command)
            is_utf8 = entry is not None and entry.utf8  # whatever the terminal's encoding is
            line = encode_command(queued.id, queued.text, "utf-8" if is_utf8 else encoding)
            if batch and len(lines) + len(line) > self._config.batch_bytes:
                break
            batch.append(queued)
            lines += line
            if entry is None or entry.ends_batch:
                break
        return batch, lines

    def _holds_secrets(self, command: QueuedCommand) -> bool:
        """Whether a command holds what only its terminal may learn: secrets, or a file's URL."""
        entry = self.catalogue.get(command.command)
        return command.file is not None or bool(parameter_secrets(entry, command.params))

    def _new_id(self, now: int) -> str:
        """A CmdID (12): the time in base 36, so that ids sort, then random characters."""
        digits = ""
        while now:
            now, digit = divmod(now, len(_DIGITS))
            digits = _DIGITS[digit] + digits
        return digits + "".join(self._choose(_DIGITS) for _ in range(_RANDOM_DIGITS))


def _written(
    tx: Transaction, command: Command, params: Mapping[str, str], command_id: str, secret: str
) -> tuple[str, CommandFile | None]:
    """The text of a command, and the file that it tells the terminal to fetch.

    The secret takes the place of the file's ID in the text. `ValueError` if there is no such file.
    """
    if command.writing is Writing.UPGRADE:
        file = tx[FileStore].get(int(params["file"]))
        if file is None or file.command is not None:
            raise CommandError(f"file: there is no file {params['file']}; add it first")
        if file.damaged:
            raise CommandError(f"file: the file {params['file']} is damaged; add it again")
        text = command_text(command, params, upgrade_facts(file, secret))
        return text, reference(file, secret)
    parameter = command.file_parameter
    name = None if parameter is None else params.get(parameter)
    if parameter is None or name is None:
        return command_text(command, params), None
    file = file_named(tx, name, command_id)
    text = command_text(command, {**params, parameter: url_of(name, secret)})
    return text, reference(file, secret)
